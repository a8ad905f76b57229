/** The figures of a run, and the file that keeps them. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import type { ContenderInfo } from "./contenders/contenders.ts"
import type { Machine } from "./machine.ts"
import { burstSpans, type Mode, type ModeName, pacedSpansPerSecond } from "./modes.ts"
import { spansPerRequest } from "./programs/attributes.ts"
import type { Performance } from "./performance.ts"
import type { Measured } from "./protocol.ts"
import type { Run, Sample, Samples } from "./run.ts"
import { type Figure, figure, geometricMean, sum } from "./statistics.ts"

/** Spans that were made and did not arrive. */
export interface Losses {
  readonly made: number
  readonly lost: number
  /** How many of them the contender itself counted, where it can say so. */
  readonly counted: number | undefined
}

/** The figures of one contender. Times of CPU are microseconds per span. */
export interface Result {
  readonly name: string
  readonly role: ContenderInfo["role"]
  readonly program: ContenderInfo["program"]
  /** All CPU of the process: program, spans, encoding, sending, shutdown. */
  readonly cpu: Figure
  /** The same less the baseline's of the same round. */
  readonly above: Figure | undefined
  /** `above` where effects were built once. */
  readonly abovePrebuilt: Figure | undefined
  /** Bytes of request bodies per span that arrived. */
  readonly bytesPerSpan: number | undefined
  /** Of the rounds above. */
  readonly losses: Losses
  /** At an even rate, with default settings. */
  readonly paced: {
    /** Delay of the event loop, milliseconds. */
    readonly p999: Figure
    readonly max: number
    /** Most bytes of heap, garbage included, and of external memory. */
    readonly peakHeap: number
    readonly losses: Losses
  }
  /** Most resident bytes of the process, up to the end of the paced phase. */
  readonly peakRss: number
  /** All in one tick, with default settings. */
  readonly burst: {
    readonly losses: Losses
    /** Longest stall of the event loop, milliseconds, the making of the spans included. */
    readonly stall: number
  }
}

/** What a regression is judged by: the same in each run, whatever the speed of the machine. */
export type Ratios = Readonly<Record<string, Figure>>

export interface Results {
  readonly date: string
  readonly mode: Mode
  readonly pacedSpansPerSecond: number
  readonly burstSpans: number
  readonly spansPerRequest: number
  readonly machine: Machine
  readonly contenders: Readonly<Record<string, Result>>
  readonly ratios: Ratios
}

const cpuPerSpan = (sample: Measured): number => (sample.cpuUserMicros + sample.cpuSystemMicros) / sample.spans

const lossesOf = (info: ContenderInfo, samples: ReadonlyArray<Sample>): Losses => ({
  made: sum(samples.map((sample) => sample.spans)),
  lost: info.exports ? sum(samples.map((sample) => sample.spans - sample.received.spans)) : 0,
  counted: samples.some((sample) => sample.countedLost === undefined)
    ? undefined
    : sum(samples.map((sample) => sample.countedLost!))
})

/** The CPU per span less that of the baseline, which ran right before. */
const differences = (samples: ReadonlyArray<Sample>): ReadonlyArray<number> =>
  samples.flatMap((sample) => sample.baseline === undefined ? [] : [cpuPerSpan(sample) - cpuPerSpan(sample.baseline)])

const above = (samples: ReadonlyArray<Sample>): Figure | undefined => {
  const found = differences(samples)
  return found.length === 0 ? undefined : figure(found)
}

const resultOf = (samples: Samples): Result => {
  const { burst, calls, info, paced, prebuilt } = samples
  const arrived = sum(calls.map((sample) => sample.received.spans))
  return {
    name: info.name,
    role: info.role,
    program: info.program,
    cpu: figure(calls.map(cpuPerSpan)),
    above: above(calls),
    abovePrebuilt: above(prebuilt),
    bytesPerSpan: arrived === 0 ? undefined : sum(calls.map((sample) => sample.received.bytes)) / arrived,
    losses: lossesOf(info, [...calls, ...prebuilt]),
    paced: {
      p999: figure(paced.map((sample) => sample.loop!.p999)),
      max: Math.max(...paced.map((sample) => sample.loop!.max)),
      peakHeap: Math.max(...paced.map((sample) => sample.loop!.peakHeap)),
      losses: lossesOf(info, paced)
    },
    peakRss: Math.max(...paced.map((sample) => sample.peakRss)),
    burst: {
      losses: lossesOf(info, burst),
      stall: Math.max(...burst.map((sample) => sample.loop!.max))
    }
  }
}

/**
 * The cost of each of ours as a share of what the exporting rivals cost (their geometric mean), round by round.
 *
 * `Trace.span` may cost less than `Effect.withSpan` under a tracer that does nothing, so its cost, and that of the rivals
 * it is compared with, is taken above the program without spans.
 */
const ratiosOf = (run: Run): Ratios => {
  const find = (id: string) => run.samples.find(({ info }) => info.id === id)
  const rivals = run.samples.filter(({ info }) => info.role === "rival" && info.exports)
  const ratios: Record<string, Figure> = {}
  for (const ours of run.samples.filter(({ info }) => info.role === "ours")) {
    const onBare = ours.info.id === "oursTrace"
    const peers = onBare ? rivals.filter(({ info }) => info.program === "effect") : rivals
    const cost = (of: Samples, round: number): number | undefined => {
      const sample = of.calls[round]!
      const baseline = onBare ? find("bare")?.calls[round] : sample.baseline
      return baseline === undefined ? undefined : cpuPerSpan(sample) - cpuPerSpan(baseline)
    }
    const rounds = ours.calls.flatMap((_, round) => {
      const own = cost(ours, round)
      const theirs = peers.flatMap((peer) => cost(peer, round) ?? [])
      // Noise can put a cheap contender below its baseline; a logarithm of that has no meaning.
      return own === undefined || theirs.length === 0 || theirs.some((value) => value <= 0)
        ? []
        : [own / geometricMean(theirs)]
    })
    if (rounds.length > 0) ratios[ours.info.id] = figure(rounds)
  }
  return ratios
}

export const resultsOf = (run: Run, mode: Mode, machine: Machine, date: string): Results => ({
  date,
  mode,
  pacedSpansPerSecond,
  burstSpans,
  spansPerRequest,
  machine,
  contenders: Object.fromEntries(
    run.samples.map((samples) => [samples.info.id, resultOf(samples)])
  ),
  ratios: ratiosOf(run)
})

/** The kept results, by mode. */
export type Kept = { readonly [K in ModeName]?: Results } & { readonly performance?: Performance }

const file = new URL("results.json", import.meta.url)

export const readKept = (): Kept => existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) as Kept : {}

/** Figures need no more digits than they have meaning. */
const rounded = (_key: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value

const write = (kept: Kept): void => writeFileSync(file, JSON.stringify(kept, rounded, 2) + "\n")

/** Keeps the results of a run in place of the last of the same mode. */
export const keep = (results: Results): void => write({ ...readKept(), [results.mode.name]: results })

/** Keeps the single figures and the curves. */
export const keepPerformance = (performance: Performance): void => write({ ...readKept(), performance })
