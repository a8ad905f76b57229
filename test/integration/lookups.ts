/** Names, looked up as a test or a row of the fault matrix wants it. */
import dns from "node:dns"
import type { LookupAddress } from "node:dns"

/** What becomes of each lookup of {@link plannedName}, the last one for ever; an error by its code. */
export type LookupPlan = ReadonlyArray<string | ReadonlyArray<LookupAddress>>

/** The name that {@link planLookups} is about. */
export const plannedName = "collector.test"

const good: ReadonlyArray<LookupAddress> = [{ address: "127.0.0.1", family: 4 }]
// Nobody listens there.
const stale: ReadonlyArray<LookupAddress> = [{ address: "127.0.0.2", family: 4 }]

/** Plans, each about a collector on `127.0.0.1`. */
export const plans = {
  found: [good],
  fails: ["ENOTFOUND"],
  flaps: ["EAI_AGAIN", "ENOTFOUND", stale, good, "EAI_AGAIN", good],
  "both families": [[{ address: "::1", family: 6 }, ...good]]
} satisfies Record<string, LookupPlan>

const failed = (code: string): Error => Object.assign(new Error(`getaddrinfo ${code} ${plannedName}`), { code })

/** Lookups of {@link plannedName} go by plan, all others as ever; the answer ends that. Call it before any lookup. */
export const planLookups = (plan: LookupPlan): () => void => {
  const real = dns.lookup
  const next = real as (...args: ReadonlyArray<unknown>) => void
  let count = 0
  const lookup = (name: string, options: unknown, callback: unknown): void => {
    if (name !== plannedName) return next(name, options, callback)
    const done = (callback ?? options) as (error: Error | null, address?: unknown, family?: number) => void
    const isAll = typeof options === "object" && options !== null && (options as dns.LookupOptions).all === true
    const result = plan[Math.min(count++, plan.length - 1)]!
    setImmediate(() => {
      if (typeof result === "string") done(failed(result))
      else if (isAll) done(null, result)
      else done(null, result[0]!.address, result[0]!.family)
    })
  }
  Object.assign(dns, { lookup })
  return () => void Object.assign(dns, { lookup: real })
}
