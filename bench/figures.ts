/**
 * Single figures beside a peer: each is measured by two or three processes that take turns, and compared with what was
 * asked of it.
 */
import { type Probing, startProbe } from "./processes.ts"
import { type Figure as Spread, figure } from "./statistics.ts"

/** What is measured. */
export interface FigureInfo {
  readonly id: string
  readonly title: string
  readonly unit: string
  /** Probes, by the names of their modules. */
  readonly ours: string
  readonly peer: { readonly probe: string; readonly name: string } | undefined
  /** Measured in the same rounds, and taken off both. */
  readonly baseline?: string
  readonly size: number
  /** Fresh processes, this many times: what the engine makes of a program differs from one process to the next. */
  readonly generations: number
  /** Rounds of each generation before those that count. */
  readonly warmUp: number
  /** Rounds of each generation. */
  readonly rounds: number
  /** What was asked: at most this, or at most this share of the peer's. */
  readonly asked: { readonly atMost: number } | { readonly share: number } | { readonly above: number }
}

/** What was measured. */
export interface FigureResult {
  readonly ours: Spread
  readonly peer: Spread | undefined
}

const perSpan = { unit: "ns", size: 20_000, generations: 5, warmUp: 25, rounds: 5 }

export const figures: ReadonlyArray<FigureInfo> = [
  {
    ...perSpan,
    id: "traceEncoded",
    title: "`Trace.span`, 5 attributes, recorded and encoded, above the effect without a span",
    ours: "traceEncoded",
    peer: { probe: "native", name: "`Effect.withSpan`, native tracer, no export" },
    baseline: "bare",
    asked: { share: 0.5 }
  },
  {
    ...perSpan,
    id: "traceUnsampled",
    title: "the same, not sampled",
    ours: "traceUnsampled",
    peer: { probe: "nativeUnsampled", name: "`Effect.withSpan`, native tracer, not sampled" },
    baseline: "bare",
    asked: { atMost: 150 }
  },
  {
    ...perSpan,
    id: "plain",
    title: "`startSpan` and `end` of the facade, 10 attributes, encoded",
    ours: "plainOurs",
    peer: { probe: "plainOtel", name: "OpenTelemetry JS, batch processor, encoded" },
    asked: { share: 0.25 }
  },
  {
    id: "encode",
    title: "encoding one span, 10 attributes, protobuf",
    unit: "ns",
    ours: "encodeOurs",
    peer: { probe: "encodeSdk", name: "OpenTelemetry JS" },
    size: 40,
    generations: 3,
    warmUp: 5,
    rounds: 5,
    asked: { share: 0.125 }
  },
  {
    id: "bytes",
    title: "bytes of that span",
    unit: "B",
    ours: "bytesOurs",
    peer: { probe: "bytesSdk", name: "OpenTelemetry JS" },
    size: 1,
    generations: 1,
    warmUp: 0,
    rounds: 3,
    asked: { share: 1 }
  },
  {
    id: "end",
    title: "one call of `end`, p99.9",
    unit: "µs",
    ours: "endOurs",
    peer: { probe: "endOtel", name: "OpenTelemetry JS" },
    size: 50_000,
    generations: 3,
    warmUp: 4,
    rounds: 3,
    asked: { atMost: 20 }
  },
  {
    id: "held",
    title: "memory held by a queued span, as a multiple of its encoded bytes",
    unit: "×",
    ours: "heldOurs",
    peer: { probe: "heldOtel", name: "OpenTelemetry JS" },
    size: 2_000,
    generations: 7,
    warmUp: 0,
    rounds: 1,
    asked: { atMost: 1.3 }
  },
  {
    id: "burst",
    title: "longest stall after 100,000 spans in one tick, default limits",
    unit: "ms",
    ours: "burstOurs",
    peer: { probe: "burstOtel", name: "OpenTelemetry JS, unbounded queue" },
    size: 100_000,
    generations: 2,
    warmUp: 2,
    rounds: 3,
    asked: { atMost: 5 }
  },
  {
    id: "import",
    title: "importing the entry point",
    unit: "ms",
    ours: "importOurs",
    peer: { probe: "importEffect", name: "`effect`" },
    size: 1,
    generations: 1,
    warmUp: 2,
    rounds: 15,
    asked: { above: 20 }
  }
]

interface Sampled {
  readonly ours: ReadonlyArray<number>
  readonly peer: ReadonlyArray<number>
}

const takeTurns = async (info: FigureInfo): Promise<Sampled> => {
  const probes: Array<Probing> = []
  const start = async (name: string | undefined): Promise<Probing | undefined> => {
    if (name === undefined) return undefined
    const probe = await startProbe(name)
    probes.push(probe)
    return probe
  }
  try {
    const ours = await start(info.ours)
    const peer = await start(info.peer?.probe)
    const baseline = await start(info.baseline)
    const own: Array<number> = []
    const theirs: Array<number> = []
    for (let round = 0; round < info.warmUp + info.rounds; round++) {
      const before = await baseline?.sample(info.size) ?? 0
      const first = await ours!.sample(info.size) - before
      const second = await peer?.sample(info.size)
      if (round < info.warmUp) continue
      own.push(first)
      if (second !== undefined) theirs.push(second - before)
    }
    return { ours: own, peer: theirs }
  } finally {
    for (const probe of probes) probe.stop()
  }
}

/** Measures one figure. */
export const measureFigure = async (info: FigureInfo): Promise<FigureResult> => {
  const runs: Array<Sampled> = []
  for (let generation = 0; generation < info.generations; generation++) runs.push(await takeTurns(info))
  const peer = runs.flatMap((run) => run.peer)
  return { ours: figure(runs.flatMap((run) => run.ours)), peer: peer.length === 0 ? undefined : figure(peer) }
}

/** Whether what was asked is met, and what it is in words. */
export const verdict = (
  { asked, unit }: FigureInfo,
  { ours, peer }: FigureResult
): { readonly met: boolean; readonly asked: string } => {
  if ("atMost" in asked) return { met: ours.median <= asked.atMost, asked: `at most ${asked.atMost} ${unit}` }
  const theirs = peer?.median ?? Infinity
  return "share" in asked
    ? { met: ours.median <= asked.share * theirs, asked: `at most ${asked.share} of the peer's` }
    : { met: ours.median <= theirs + asked.above, asked: `at most ${asked.above} ${unit} above` }
}
