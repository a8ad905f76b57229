/** The machine as a row wants it: names and the wall clock. Install before a contender is loaded. */
import dns from "node:dns"
import type { LookupAddress } from "node:dns"
import type { LookupPlan } from "./protocol.ts"

/** The name of the collector where lookups go by plan. */
export const plannedName = "collector.test"

type Lookup = Error | ReadonlyArray<LookupAddress>

const failed = (code: string): Error => Object.assign(new Error(`getaddrinfo ${code} ${plannedName}`), { code })
const good: Lookup = [{ address: "127.0.0.1", family: 4 }]
// Nobody listens there.
const stale: Lookup = [{ address: "127.0.0.2", family: 4 }]
const both: Lookup = [{ address: "::1", family: 6 }, { address: "127.0.0.1", family: 4 }]

const flapping: ReadonlyArray<Lookup> = [failed("EAI_AGAIN"), failed("ENOTFOUND"), stale, good, failed("EAI_AGAIN")]

const planned = (plan: LookupPlan, index: number): Lookup =>
  plan === "fails" ? failed("ENOTFOUND") : plan === "flaps" ? flapping[index] ?? good : both

/** Lookups of {@link plannedName} go by plan, all others as ever. */
export const planLookups = (plan: LookupPlan): void => {
  const real = dns.lookup as (...args: ReadonlyArray<unknown>) => void
  let count = 0
  const lookup = (name: string, options: unknown, callback: unknown): void => {
    if (name !== plannedName) return real(name, options, callback)
    const done = (callback ?? options) as (error: Error | null, address?: unknown, family?: number) => void
    const isAll = typeof options === "object" && options !== null && (options as dns.LookupOptions).all === true
    const result = planned(plan, count++)
    setImmediate(() => {
      if (result instanceof Error) done(result)
      else if (isAll) done(null, result)
      else done(null, result[0]!.address, result[0]!.family)
    })
  }
  Object.assign(dns, { lookup })
}

let offset = 0

/** From now on the wall clock can be moved by {@link jump}. */
export const ownWallClock = (): void => {
  const Real = Date
  class Moved extends Real {
    constructor(...args: ReadonlyArray<unknown>) {
      super(...(args.length === 0 ? [Real.now() + offset] : args) as [number])
    }

    static override now(): number {
      return Real.now() + offset
    }
  }
  globalThis.Date = Moved as DateConstructor
}

export const jump = (seconds: number): void => {
  offset += seconds * 1_000
}

/** Holds the event loop without using CPU. */
export const block = (seconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1_000)
}
