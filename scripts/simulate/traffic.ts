/** Traffic to replay: what was recorded, or what is generated from a seed. Spans in the order of their starts. */
import * as Effect from "effect/Effect"
import { closeSync, openSync, readSync } from "node:fs"
import { arrivals, type Traffic, traffics } from "../../bench/sampling/traffic.ts"
import { exponential, seeded } from "../../bench/sampling/random.ts"
import type { SpanData } from "../../src/model/SpanData.ts"
import * as OtlpDecoder from "../../src/otlp/OtlpDecoder.ts"
import * as OtTraceState from "../../src/sampling/OtTraceState.ts"

/** One span to replay. */
export interface SimulatedSpan {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  readonly id: string
  /** The id of the parent; `undefined` for the first span of a trace, or of a service's part of it. */
  readonly parent: string | undefined
  /** The parent in another service, of the first span of a part. */
  readonly remote?: { readonly spanId: string; readonly traceFlags: number; readonly traceState: string } | undefined
  readonly name: string
  readonly kind: "internal" | "server" | "client" | "producer" | "consumer"
  /** Milliseconds since the Unix epoch. */
  readonly start: number
  readonly end: number
  readonly isError: boolean
  readonly attributes: Readonly<Record<string, unknown>>
  /** Only for the first span of a trace: whether any of the trace has an error, and how long all of it takes. */
  readonly trace?: { readonly isError: boolean; readonly millis: number } | undefined
}

export interface SimulatedTraffic {
  /** One line on what it is. */
  readonly description: string
  /** Milliseconds since the Unix epoch. */
  readonly start: number
  readonly seconds: number
  readonly spans: Iterable<SimulatedSpan>
  readonly notes: ReadonlyArray<string>
}

export interface GenerateOptions {
  readonly shape: string
  readonly seconds: number
  readonly seed: number
  /** Traces per second where the shape has its usual rate. */
  readonly rate: number
  /** Mean number of spans in a trace. */
  readonly spans: number
  /** Share of the traces that have an error. */
  readonly errors: number
  /** Median duration of a trace in milliseconds. */
  readonly latency: number
}

export const shapes: ReadonlyArray<string> = Object.keys(traffics)

// The rate for which the shapes are written.
const usualRate = 2_000
const epoch = 1_795_341_600_000

const hex = (random: () => number, digits: number): string => {
  let text = ""
  while (text.length < digits) text += Math.floor(random() * 0x100000000).toString(16).padStart(8, "0")
  return text
}

/** Standard normal, by Box and Muller. */
const normal = (random: () => number): number => Math.sqrt(2 * exponential(random)) * Math.cos(2 * Math.PI * random())

const generated = function*(options: GenerateOptions, traffic: Traffic): Generator<SimulatedSpan> {
  const { keyOf, keys, times } = arrivals(
    { ...traffic, rate: (second) => traffic.rate(second) * options.rate / usualRate, seconds: options.seconds },
    options.seed
  )
  const random = seeded(options.seed ^ 0x2545f491)
  for (let i = 0; i < times.length; i++) {
    const key = keys[keyOf[i]!]!
    const traceId = hex(random, 32)
    const root = hex(random, 16)
    const isError = random() < options.errors
    const millis = options.latency * Math.exp(normal(random))
    const start = epoch + times[i]!
    // Children one after the other, so that their starts are ordered among each other; those of other traces are not.
    const children = Math.min(200, Math.floor(exponential(random) * (options.spans - 0.5)))
    const broken = isError ? Math.floor(random() * (children + 1)) : -1
    const path = key.slice(key.indexOf(" ") + 1)
    yield {
      traceId,
      id: root,
      parent: undefined,
      name: key,
      kind: "server",
      start,
      end: start + millis,
      isError,
      attributes: { "http.request.method": "GET", "url.path": path, "http.route": path },
      trace: { isError, millis }
    }
    for (let child = 0; child < children; child++) {
      const share = millis / (children + 1)
      yield {
        traceId,
        id: hex(random, 16),
        parent: root,
        name: `step ${child + 1}`,
        kind: child % 2 === 0 ? "internal" : "client",
        start: start + share * child,
        end: start + share * (child + 1),
        isError: child === broken,
        attributes: {}
      }
    }
  }
}

/** Spans in the order of their starts, given traces in the order of theirs. */
const sorted = function*(spans: Iterable<SimulatedSpan>): Generator<SimulatedSpan> {
  const waiting: Array<SimulatedSpan> = []
  const pop = (): SimulatedSpan => {
    const first = waiting[0]!
    const last = waiting.pop()!
    if (waiting.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= waiting.length) break
      if (child + 1 < waiting.length && waiting[child + 1]!.start < waiting[child]!.start) child++
      if (waiting[child]!.start >= last.start) break
      waiting[at] = waiting[child]!
      at = child
    }
    waiting[at] = last
    return first
  }
  for (const span of spans) {
    // Traces arrive in order, so what starts before this one starts is complete.
    if (span.parent === undefined) { while (waiting.length > 0 && waiting[0]!.start <= span.start) yield pop() }
    let at = waiting.push(span) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (waiting[above]!.start <= span.start) break
      waiting[at] = waiting[above]!
      at = above
    }
    waiting[at] = span
  }
  while (waiting.length > 0) yield pop()
}

/** Traffic from a seed: the same for the same options. */
export const generate = (options: GenerateOptions): SimulatedTraffic => {
  const traffic = traffics[options.shape]
  if (traffic === undefined) throw new Error(`--shape is "${options.shape}", expected one of ${shapes.join(", ")}`)
  return {
    description: `${traffic.name}, about ${options.rate} traces/s, seed ${options.seed}`,
    start: epoch,
    seconds: options.seconds,
    spans: sorted(generated(options, traffic)),
    notes: []
  }
}

const lineBytes = 64 * 1024 * 1024

const linesOf = function*(path: string): Generator<Uint8Array> {
  const file = openSync(path, "r")
  try {
    const chunk = Buffer.alloc(1 << 20)
    let rest: Buffer = Buffer.alloc(0)
    for (let size = readSync(file, chunk); size > 0; size = readSync(file, chunk)) {
      rest = Buffer.concat([rest, chunk.subarray(0, size)])
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        yield rest.subarray(0, end)
        rest = rest.subarray(end + 1)
      }
      if (rest.length > lineBytes) throw new Error(`${path} has a line of more than ${lineBytes} bytes`)
    }
    if (rest.length > 0) yield rest
  } finally {
    closeSync(file)
  }
}

const kinds = {
  INTERNAL: "internal",
  SERVER: "server",
  CLIENT: "client",
  PRODUCER: "producer",
  CONSUMER: "consumer"
} as const

const millisOf = (nanos: bigint): number => Number(nanos / 1_000n) / 1_000

/** Traffic from a file of OTLP JSON lines, as the file exporter writes it. At most `seconds` of it. */
export const recorded = (path: string, seconds: number): SimulatedTraffic => {
  const spans: Array<SpanData> = []
  for (const line of linesOf(path)) {
    if (line.length < 2) continue
    spans.push(...Effect.runSync(Effect.fromResult(OtlpDecoder.decode("application/json", line))))
  }
  if (spans.length === 0) throw new Error(`${path} holds no spans`)
  spans.sort((a, b) =>
    a.startTimeUnixNano < b.startTimeUnixNano ? -1 : a.startTimeUnixNano > b.startTimeUnixNano ? 1 : 0
  )
  const start = millisOf(spans[0]!.startTimeUnixNano)
  const within = spans.filter((span) => millisOf(span.startTimeUnixNano) < start + seconds * 1_000)
  const ids = new Set(within.map(({ spanId, traceId }) => traceId + spanId))
  const isFirst = (span: SpanData): boolean =>
    span.parentSpanId === undefined || !ids.has(span.traceId + span.parentSpanId)
  const traces = new Map<string, { isError: boolean; start: number; end: number }>()
  let sampled = 0
  let last = start
  for (const span of within) {
    const [from, to] = [millisOf(span.startTimeUnixNano), millisOf(span.endTimeUnixNano)]
    const trace = traces.get(span.traceId) ?? { isError: false, start: from, end: to }
    trace.isError ||= span.status.code === "ERROR"
    trace.end = Math.max(trace.end, to)
    traces.set(span.traceId, trace)
    last = Math.max(last, to)
    const { threshold } = OtTraceState.read(span.traceState)
    if (span.parentSpanId === undefined && threshold !== undefined && (threshold.hi > 0 || threshold.lo > 0)) sampled++
  }
  return {
    description: path,
    start,
    seconds: Math.max(1, Math.ceil((last - start) / 1_000)),
    notes: sampled === 0
      ? []
      : [`${sampled} of the recorded traces were sampled before; each is taken for one trace here`],
    spans: within.map((span): SimulatedSpan => {
      const trace = traces.get(span.traceId)!
      return {
        traceId: span.traceId,
        id: span.spanId,
        parent: isFirst(span) ? undefined : span.parentSpanId,
        remote: isFirst(span) && span.parentSpanId !== undefined
          ? { spanId: span.parentSpanId, traceFlags: span.traceFlags, traceState: span.traceState }
          : undefined,
        name: span.name,
        kind: kinds[span.kind],
        start: millisOf(span.startTimeUnixNano),
        end: millisOf(span.endTimeUnixNano),
        isError: span.status.code === "ERROR",
        attributes: span.attributes,
        trace: isFirst(span) ? { isError: trace.isError, millis: trace.end - trace.start } : undefined
      }
    })
  }
}
