/** Ended spans that are not worth their way: dropped by what is known of them at the end. */
import * as Duration from "effect/Duration"
import type { SpanKind as EffectSpanKind } from "effect/Tracer"
import { anyOf, type Pattern } from "../internal/pattern.ts"
import { indexOf } from "../model/Attributes.ts"
import type { ReadableSpan, StatusCode } from "../model/ReadableSpan.ts"
import type { SpanKind } from "../model/SpanData.ts"
import * as SpanProcessor from "./SpanProcessor.ts"

/**
 * Which span names: equal to a string, or with a `prefix`, a `suffix`, or the shape of a `glob` (`*` stands for any run).
 * Case matters.
 */
export type NamePattern = Pattern

/** What is asked of a span. Everything stated must hold; `{}` holds for every span. */
export interface Condition {
  /** Lasted at least this long. */
  readonly minDuration?: Duration.Input | undefined
  /** Lasted less than this. */
  readonly maxDuration?: Duration.Input | undefined
  /** Has this status, or one of these. */
  readonly status?: StatusCode | ReadonlyArray<StatusCode> | undefined
  /** Has this name, or one of these. */
  readonly name?: NamePattern | ReadonlyArray<NamePattern> | undefined
  /** Is of this kind, or of one of these. */
  readonly kind?: SpanKind | ReadonlyArray<SpanKind> | undefined
  /** Has an attribute with this key, or with each of these. */
  readonly hasAttribute?: string | ReadonlyArray<string> | undefined
  /** Holds for the span; asked last. The span must not be kept or changed. */
  readonly predicate?: ((span: ReadableSpan) => boolean) | undefined
}

/** Which spans go on. */
export interface Options {
  /** Only spans that meet this condition, or any of these, go on. Left out: all do. */
  readonly keep?: Condition | ReadonlyArray<Condition> | undefined
  /** Spans that meet this condition, or any of these, go no further, even where `keep` holds. */
  readonly drop?: Condition | ReadonlyArray<Condition> | undefined
}

const all = <A>(value: A | ReadonlyArray<A>): ReadonlyArray<A> =>
  Array.isArray(value) ? value as ReadonlyArray<A> : [value as A]

type Test = (span: ReadableSpan) => boolean

const compile = (condition: Condition): Test => {
  const tests: Array<Test> = []
  const { predicate } = condition
  if (condition.kind !== undefined) {
    const kinds = new Set<EffectSpanKind>(all(condition.kind).map((kind) => kind.toLowerCase() as EffectSpanKind))
    tests.push((span) => kinds.has(span.kind))
  }
  if (condition.status !== undefined) {
    const codes = all(condition.status)
    tests.push((span) => codes.includes(span.statusCode))
  }
  if (condition.minDuration !== undefined) {
    const least = nanos(condition.minDuration)
    tests.push((span) => span.endTimeUnixNano - span.startTimeUnixNano >= least)
  }
  if (condition.maxDuration !== undefined) {
    const bound = nanos(condition.maxDuration)
    tests.push((span) => span.endTimeUnixNano - span.startTimeUnixNano < bound)
  }
  if (condition.name !== undefined) {
    const matches = anyOf(all(condition.name))
    tests.push((span) => matches(span.name))
  }
  if (condition.hasAttribute !== undefined) {
    const keys = all(condition.hasAttribute)
    tests.push((span) => keys.every((key) => indexOf(span.attributeList, key) >= 0))
  }
  if (predicate !== undefined) tests.push(predicate)
  return (span) => tests.every((test) => test(span))
}

// An unending duration is longer than any span.
const nanos = (input: Duration.Input): bigint => {
  const duration = Duration.fromInputUnsafe(input)
  return Duration.isFinite(duration) ? Duration.toNanosUnsafe(duration) : 2n ** 64n
}

/**
 * A processor that forwards the spans that meet `keep` and do not meet `drop`, and books the others as `filtered`.
 *
 * **Details**
 *
 * A list of conditions holds where any of them does. `keep` left out keeps everything; `drop` left out drops nothing; a
 * span that meets both is dropped.
 *
 * **Gotchas**
 *
 * A dropped span leaves its children without a parent in the exported trace. A predicate that throws lets the span go
 * on, and is counted as a failure of the processor.
 *
 * **Example** (Keep what is slow or failed, but never health checks)
 *
 * ```ts
 * import { FilterSpanProcessor } from "effect-telemetry"
 *
 * export const filter = FilterSpanProcessor.make({
 *   keep: [{ minDuration: "50 millis" }, { status: "ERROR" }],
 *   drop: { kind: "SERVER", name: ["GET /healthz", { prefix: "GET /internal/" }] }
 * })
 * ```
 */
export const make = (options: Options): SpanProcessor.SpanProcessorShape => {
  const keep = options.keep === undefined ? undefined : all(options.keep).map(compile)
  const drop = options.drop === undefined ? [] : all(options.drop).map(compile)
  return SpanProcessor.make({
    name: "filter",
    keepsSpans: false,
    onEnd(span, next) {
      const kept = keep === undefined || keep.some((test) => test(span))
      if (kept && !drop.some((test) => test(span))) next.emit(span)
      else next.drop("filtered", 1)
    }
  })
}
