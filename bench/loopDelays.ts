/** What telemetry adds to the delay of the event loop of a program that makes 20,000 spans in a second. */
import { contenders } from "./contenders/contenders.ts"
import type { Sampled } from "./inTurns.ts"
import type { Mode } from "./modes.ts"
import { run } from "./run.ts"

const mode: Mode = {
  name: "full",
  generations: 2,
  requests: 5_000,
  rounds: 0,
  prebuilt: false,
  pacedRounds: 7,
  pacedMillis: 2_000,
  warmupMillis: 4_000
}

const takePart = ["noop", "oursProtobuf", "plainNoop", "otelJs"]

/** Milliseconds at the 99.9th percentile, less those of the no-op tracer in the same round. */
export const loopDelays = async (): Promise<Sampled> => {
  const { samples } = await run(contenders.filter(({ id }) => takePart.includes(id)), mode, () => {})
  const delays = (id: string): ReadonlyArray<number> =>
    samples.find(({ info }) => info.id === id)!.paced.map(({ loop }) => loop!.p999)
  const above = (id: string, baseline: string): ReadonlyArray<number> => {
    const idle = delays(baseline)
    return delays(id).map((delay, round) => delay - idle[round]!)
  }
  return { ours: above("oursProtobuf", "noop"), peer: above("otelJs", "plainNoop") }
}
