/** The process of one probe: loads nothing but that, and takes a sample for each message, which is the size. */
import type { Probe, ProbeAnswer } from "./probes/Probe.ts"

const answer = (message: ProbeAnswer): void => void process.send!(message)

const reasonOf = (error: unknown): string => error instanceof Error ? error.stack ?? error.message : String(error)

const loading = import(`./probes/${process.argv[2]}.js`).then(
  (module: { readonly default: Probe }) => {
    answer({ tag: "ready" })
    return module.default
  },
  (error: unknown) => {
    answer({ tag: "failed", reason: reasonOf(error) })
    return undefined
  }
)

process.on("disconnect", () => process.exit())
process.on("message", async (size: number) => {
  const probe = await loading
  if (probe === undefined) return
  try {
    answer({ tag: "sampled", value: await probe.sample(size) })
  } catch (error) {
    answer({ tag: "failed", reason: reasonOf(error) })
  }
})
