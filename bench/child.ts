/**
 * The process of one contender: it loads nothing but that contender, and runs one phase for each job it is given.
 *
 * The loading of the library and the building of the layer are outside the measurement; the shutdown is inside. No
 * collection is forced before a phase: it makes the engine drop compiled code, which doubles the cost of everyone's spans
 * in the phase that follows, as no collection of a running program does.
 */
import { spansPerRequest } from "./programs/attributes.ts"
import type { Contender } from "./programs/Load.ts"
import * as loopDelay from "./loopDelay.ts"
import type { Answer, Job, Measured } from "./protocol.ts"

const answer = (message: Answer): void => void process.send!(message)

const measure = async (contender: Contender, job: Job): Promise<Measured> => {
  const running = await contender.open(job)
  const stopLoop = job.sampleLoop ? loopDelay.start() : undefined
  const wall = performance.now()
  const cpu = process.cpuUsage()
  const sum = await running.run(job.load)
  // The delay of the event loop is a matter of the running program, not of its shutdown.
  const loop = job.load.kind === "paced" ? stopLoop?.() : undefined
  await running.close()
  const used = process.cpuUsage(cpu)
  const wallMillis = performance.now() - wall
  return {
    cpuUserMicros: used.user,
    cpuSystemMicros: used.system,
    wallMillis,
    spans: job.load.requests * spansPerRequest,
    countedLost: running.countedLost?.(),
    loop: loop ?? stopLoop?.(),
    peakRss: process.resourceUsage().maxRSS * 1024,
    sum
  }
}

const reasonOf = (error: unknown): string => error instanceof Error ? error.stack ?? error.message : String(error)

const load = async (): Promise<Contender | undefined> => {
  try {
    const module = await import(`./contenders/${process.argv[2]}.js`) as { readonly default: Contender }
    answer({ tag: "ready" })
    return module.default
  } catch (error) {
    answer({ tag: "unavailable", reason: reasonOf(error) })
    return undefined
  }
}

const loading = load()
process.on("disconnect", () => process.exit())
process.on("message", async (job: Job) => {
  const contender = await loading
  if (contender === undefined) return
  try {
    answer({ tag: "measured", measured: await measure(contender, job) })
  } catch (error) {
    answer({ tag: "failed", reason: reasonOf(error) })
  }
})
