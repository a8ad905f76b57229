/** Log records that are not worth their way. */
import { anyOf, type Pattern } from "../internal/pattern.ts"
import { indexOf } from "../model/Attributes.ts"
import { hasTrace, type ReadableLogRecord } from "../model/ReadableLogRecord.ts"
import { isSampled } from "../model/ReadableSpan.ts"
import * as LogRecordProcessor from "./LogRecordProcessor.ts"
import { fromInput, type SeverityInput } from "./Severity.ts"

/** Which texts: equal to a string, or with a `prefix`, a `suffix`, or the shape of a `glob`. Case matters. */
export type NamePattern = Pattern

/** What is asked of a record. Everything stated must hold; `{}` holds for every record. */
export interface Condition {
  /** Is at least this severe; a record without a severity is not. */
  readonly minSeverity?: SeverityInput | undefined
  /** Is less severe than this; a record without a severity is. */
  readonly belowSeverity?: SeverityInput | undefined
  /** Is an event of this name, or of one of these. */
  readonly eventName?: NamePattern | ReadonlyArray<NamePattern> | undefined
  /** Comes from the scope of this name, or of one of these. */
  readonly scope?: NamePattern | ReadonlyArray<NamePattern> | undefined
  /** Has a body that is this text, or one of these. */
  readonly body?: NamePattern | ReadonlyArray<NamePattern> | undefined
  /** Has an attribute with this key, or with each of these. */
  readonly hasAttribute?: string | ReadonlyArray<string> | undefined
  /** Belongs to a span, or does not. */
  readonly hasTrace?: boolean | undefined
  /** Holds for the record; asked last. The record must not be kept or changed. */
  readonly predicate?: ((record: ReadableLogRecord) => boolean) | undefined
}

/** Which records go on. */
export interface Options {
  /** Only records that meet this condition, or any of these, go on. Left out: all do. */
  readonly keep?: Condition | ReadonlyArray<Condition> | undefined
  /** Records that meet this condition, or any of these, go no further, even where `keep` holds. */
  readonly drop?: Condition | ReadonlyArray<Condition> | undefined
}

const all = <A>(value: A | ReadonlyArray<A>): ReadonlyArray<A> =>
  Array.isArray(value) ? value as ReadonlyArray<A> : [value as A]

type Test = (record: ReadableLogRecord) => boolean

const compile = (condition: Condition): Test => {
  const tests: Array<Test> = []
  const { belowSeverity, body, eventName, hasAttribute, minSeverity, predicate, scope } = condition
  if (minSeverity !== undefined) {
    const least = fromInput(minSeverity)
    tests.push((record) => record.severityNumber >= least)
  }
  if (belowSeverity !== undefined) {
    const bound = fromInput(belowSeverity)
    tests.push((record) => record.severityNumber < bound)
  }
  if (condition.hasTrace !== undefined) tests.push((record) => hasTrace(record) === condition.hasTrace)
  if (eventName !== undefined) {
    const matches = anyOf(all(eventName))
    tests.push((record) => record.eventName !== "" && matches(record.eventName))
  }
  if (scope !== undefined) {
    const matches = anyOf(all(scope))
    tests.push((record) => matches(record.scope.name))
  }
  if (body !== undefined) {
    const matches = anyOf(all(body))
    tests.push((record) => typeof record.body === "string" && matches(record.body))
  }
  if (hasAttribute !== undefined) {
    const keys = all(hasAttribute)
    tests.push((record) => keys.every((key) => indexOf(record.attributeList, key) >= 0))
  }
  if (predicate !== undefined) tests.push(predicate)
  return (record) => tests.every((test) => test(record))
}

/**
 * A processor that forwards the records that meet `keep` and do not meet `drop`, and books the others as `filtered`.
 *
 * **Details**
 *
 * A list of conditions holds where any of them does. `keep` left out keeps everything; `drop` left out drops nothing; a
 * record that meets both is dropped.
 *
 * **Gotchas**
 *
 * A predicate that throws lets the record go on, and is counted as a failure of the processor.
 *
 * **Example** (Keep warnings, and everything that a payment says)
 *
 * ```ts
 * import { FilterLogRecordProcessor } from "effect-telemetry"
 *
 * export const filter = FilterLogRecordProcessor.make({
 *   keep: [{ minSeverity: "Warn" }, { eventName: { prefix: "payment." } }],
 *   drop: { body: { prefix: "heartbeat" } }
 * })
 * ```
 */
export const make = (options: Options): LogRecordProcessor.LogRecordProcessorShape => {
  const keep = options.keep === undefined ? undefined : all(options.keep).map(compile)
  const drop = options.drop === undefined ? [] : all(options.drop).map(compile)
  return LogRecordProcessor.make({
    name: "filter",
    enabled: LogRecordProcessor.passesOn,
    onEmit(record, next) {
      const kept = keep === undefined || keep.some((test) => test(record))
      if (kept && !drop.some((test) => test(record))) next.emit(record)
      else next.drop("filtered", 1)
    }
  })
}

/**
 * A processor that forwards records of at least this severity, and those without one (`logs/sdk.md#loggerconfig`,
 * `minimum_severity`); the others are `filtered`.
 */
export const minimumSeverity = (severity: SeverityInput): LogRecordProcessor.LogRecordProcessorShape => {
  const least = fromInput(severity)
  return LogRecordProcessor.make({
    name: "minimumSeverity",
    enabled: LogRecordProcessor.passesOn,
    onEmit(record, next) {
      if (record.severityNumber === 0 || record.severityNumber >= least) next.emit(record)
      else next.drop("filtered", 1)
    }
  })
}

/**
 * A processor that forwards records of sampled spans, and those of no span (`logs/sdk.md#loggerconfig`, `trace_based`);
 * the others are `filtered`. With `always`, records at least that severe go on in any case.
 */
export const traceBased = (options?: {
  readonly always?: SeverityInput | undefined
}): LogRecordProcessor.LogRecordProcessorShape => {
  const always = options?.always === undefined ? Infinity : fromInput(options.always)
  return LogRecordProcessor.make({
    name: "traceBased",
    enabled: LogRecordProcessor.passesOn,
    onEmit(record, next) {
      if (!hasTrace(record) || isSampled(record) || record.severityNumber >= always) next.emit(record)
      else next.drop("filtered", 1)
    }
  })
}
