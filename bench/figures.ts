/**
 * Single figures beside a peer, each compared with what was asked of it.
 */
import { bundleSizes } from "./bundleSizes.ts"
import { loopDelays } from "./loopDelays.ts"
import { inTurns, type Sampled } from "./inTurns.ts"
import { type Figure as Spread, figure } from "./statistics.ts"

/** What is measured. */
export interface FigureInfo {
  readonly id: string
  readonly title: string
  readonly unit: string
  /** The peer's name. */
  readonly peer: string
  /** What was asked: at most this, at most this share of the peer's, or at most this much above it. */
  readonly asked: { readonly atMost: number } | { readonly share: number } | { readonly above: number }
  readonly measure: () => Promise<Sampled>
}

/** What was measured. */
export interface FigureResult {
  readonly ours: Spread
  readonly peer: Spread
}

const perSpan = { size: 20_000, generations: 5, warmUp: 25, rounds: 5 }

export const figures: ReadonlyArray<FigureInfo> = [
  {
    id: "traceEncoded",
    title: "`Trace.span`, 5 attributes, recorded and encoded, above the effect without a span",
    unit: "ns",
    peer: "`Effect.withSpan`, native tracer, no export",
    asked: { share: 0.5 },
    measure: inTurns({ ...perSpan, ours: "traceEncoded", peer: "native", baseline: "bare" })
  },
  {
    id: "traceUnsampled",
    title: "the same, not sampled",
    unit: "ns",
    peer: "`Effect.withSpan`, native tracer, not sampled",
    asked: { atMost: 150 },
    measure: inTurns({ ...perSpan, ours: "traceUnsampled", peer: "nativeUnsampled", baseline: "bare" })
  },
  {
    id: "plain",
    title: "`startSpan` and `end` of the facade, 10 attributes, encoded",
    unit: "ns",
    peer: "OpenTelemetry JS, batch processor, encoded",
    asked: { share: 0.25 },
    measure: inTurns({ ...perSpan, ours: "plainOurs", peer: "plainOtel" })
  },
  {
    id: "traceSync",
    title: "a call of the facade's `trace` around a function, 5 attributes, encoded, above the call without a span",
    unit: "ns",
    peer: "OpenTelemetry JS, `startActiveSpan`, batch processor, encoded",
    asked: { share: 0.25 },
    measure: inTurns({ ...perSpan, ours: "traceSyncOurs", peer: "traceSyncOtel", baseline: "callsSync" })
  },
  {
    id: "traceAsync",
    title: "the same around an asynchronous function",
    unit: "ns",
    peer: "OpenTelemetry JS, likewise",
    asked: { share: 0.25 },
    measure: inTurns({ ...perSpan, ours: "traceAsyncOurs", peer: "traceAsyncOtel", baseline: "callsAsync" })
  },
  {
    id: "tracedSync",
    title: "a call of a function that `traced` has wrapped, 5 attributes of its arguments, encoded",
    unit: "ns",
    peer: "OpenTelemetry JS, a wrapper by hand",
    asked: { share: 0.25 },
    measure: inTurns({ ...perSpan, ours: "tracedSyncOurs", peer: "traceSyncOtel", baseline: "callsSync" })
  },
  {
    id: "tracedAsync",
    title: "the same of an asynchronous function",
    unit: "ns",
    peer: "OpenTelemetry JS, a wrapper by hand",
    asked: { share: 0.25 },
    measure: inTurns({ ...perSpan, ours: "tracedAsyncOurs", peer: "traceAsyncOtel", baseline: "callsAsync" })
  },
  {
    id: "followed",
    title: "a primitive of a fiber, plain asynchronous code kept in step (`followAsync`)",
    unit: "ns",
    peer: "the same tracer without it",
    asked: { share: 1.25 },
    measure: inTurns({
      ours: "primitivesFollowed",
      peer: "primitivesAlone",
      size: 200_000,
      generations: 5,
      warmUp: 10,
      rounds: 5
    })
  },
  {
    id: "log",
    title: "`log.info` of the facade, 5 attributes, batched, encoded as OTLP",
    unit: "ns",
    peer: "OpenTelemetry JS, batch processor, encoded",
    asked: { share: 0.5 },
    measure: inTurns({ ...perSpan, ours: "logOurs", peer: "logOtel" })
  },
  {
    id: "logPino",
    title: "the same",
    unit: "ns",
    peer: "pino, buffered JSON lines to `/dev/null`",
    asked: { share: 1 },
    measure: inTurns({ ...perSpan, ours: "logOurs", peer: "logPino" })
  },
  {
    id: "logEffect",
    title: "`Effect.log`, 5 annotations, batched, encoded as OTLP, above the same without a logger",
    unit: "ns",
    peer: "Effect's `OtlpLogger`, protobuf",
    asked: { share: 0.5 },
    measure: inTurns({ ...perSpan, ours: "logEffectOurs", peer: "logEffectOtlp", baseline: "logEffectNone" })
  },
  {
    id: "encode",
    title: "encoding one span, 10 attributes, protobuf",
    unit: "ns",
    peer: "OpenTelemetry JS",
    asked: { share: 0.125 },
    measure: inTurns({ ours: "encodeOurs", peer: "encodeSdk", size: 40, generations: 3, warmUp: 5, rounds: 5 })
  },
  {
    id: "bytes",
    title: "bytes of that span",
    unit: "B",
    peer: "OpenTelemetry JS",
    asked: { share: 1 },
    measure: inTurns({ ours: "bytesOurs", peer: "bytesSdk", size: 1, generations: 1, warmUp: 0, rounds: 3 })
  },
  {
    id: "end",
    title: "one call of `end`, p99.9",
    unit: "µs",
    peer: "OpenTelemetry JS",
    asked: { atMost: 20 },
    measure: inTurns({ ours: "endOurs", peer: "endOtel", size: 50_000, generations: 3, warmUp: 4, rounds: 3 })
  },
  {
    id: "held",
    title: "memory held by a queued span, as a multiple of its encoded bytes",
    unit: "×",
    peer: "OpenTelemetry JS",
    asked: { atMost: 1.3 },
    measure: inTurns({ ours: "heldOurs", peer: "heldOtel", size: 2_000, generations: 7, warmUp: 0, rounds: 1 })
  },
  {
    id: "burst",
    title: "longest stall after 100,000 spans in one tick, default limits",
    unit: "ms",
    peer: "OpenTelemetry JS, unbounded queue",
    asked: { atMost: 5 },
    measure: inTurns({ ours: "burstOurs", peer: "burstOtel", size: 100_000, generations: 2, warmUp: 2, rounds: 3 })
  },
  {
    id: "import",
    title: "importing the entry point",
    unit: "ms",
    peer: "`effect`",
    asked: { above: 20 },
    measure: inTurns({ ours: "importOurs", peer: "importEffect", size: 1, generations: 1, warmUp: 2, rounds: 15 })
  },
  {
    id: "stall",
    title: "event-loop delay p99.9 at 20,000 spans/s, above the no-op tracer",
    unit: "ms",
    peer: "OpenTelemetry JS",
    asked: { atMost: 1 },
    measure: loopDelays
  },
  {
    id: "bundle",
    title: "a program with the tracer, a batch processor and the OTLP exporter, bundled, minified, gzipped",
    unit: "kB",
    peer: "Effect's `OtlpTracer`, protobuf, `fetch`",
    asked: { atMost: 30 },
    measure: bundleSizes
  }
]

/** Measures one figure. */
export const measureFigure = async (info: FigureInfo): Promise<FigureResult> => {
  const { ours, peer } = await info.measure()
  return { ours: figure(ours), peer: figure(peer) }
}

/** Whether what was asked is met, and what it is in words. */
export const verdict = (
  { asked, unit }: FigureInfo,
  { ours, peer }: FigureResult
): { readonly met: boolean; readonly asked: string } =>
  "atMost" in asked
    ? { met: ours.median <= asked.atMost, asked: `at most ${asked.atMost} ${unit}` }
    : "share" in asked
    ? { met: ours.median <= asked.share * peer.median, asked: `at most ${asked.share} of the peer's` }
    : { met: ours.median <= peer.median + asked.above, asked: `at most ${asked.above} ${unit} above` }
