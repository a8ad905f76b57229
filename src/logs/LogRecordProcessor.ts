import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { chain } from "../delivery/chain.ts"
import type { Diagnostics } from "../diagnostics/Diagnostics.ts"
import type { Account, DropReason } from "../diagnostics/Ledger.ts"
import { describeError } from "../internal/describeError.ts"
import type { ReadableLogRecord } from "../model/ReadableLogRecord.ts"

/** The rest of the road behind a processor. */
export interface LogSink {
  /** Hands the record to the next processor. Never throws. */
  emit(record: ReadableLogRecord): void
  /** Books records that go no further, for every destination behind this processor. */
  drop(reason: DropReason, count: number): void
}

/** What is known of a record before it is made. */
export interface LogRecordProbe {
  /** 1 to 24, 0 for none. */
  readonly severityNumber: number
  /** `""` for a record that is no event. */
  readonly eventName: string
}

/**
 * One station of the road of a log record (`logs/sdk.md#logrecordprocessor`).
 *
 * **Details**
 *
 * `onEmit` is synchronous. It forwards the record with `next.emit`, or gives it up with `next.drop`; doing
 * neither loses the record and breaks the ledger. An exception is caught and counted, and the record goes on to the next
 * processor. What it changes in the record is seen by the processors behind it.
 */
export interface LogRecordProcessorShape {
  readonly name: string
  /**
   * Whether it would do anything with such a record. A record that no processor wants is not made, and not counted. Default
   * `true`.
   */
  readonly enabled?: ((probe: LogRecordProbe) => boolean) | undefined
  readonly onEmit: (record: ReadableLogRecord, next: LogSink) => void
  /** Completes when everything handed to this processor before has been delivered or given up. */
  readonly flush: Effect.Effect<void>
  /** The ledger accounts of the destinations this processor feeds itself. */
  readonly accounts: ReadonlyArray<Account>
}

/** The processors of a logger, in order. */
export class LogRecordProcessor extends Context.Service<LogRecordProcessor, LogRecordProcessorShape>()(
  "effect-telemetry/logs/LogRecordProcessor"
) {}

/** Makes a processor that feeds no destination of its own; what is left out does nothing. */
export const make = (options: {
  readonly name: string
  readonly enabled?: ((probe: LogRecordProbe) => boolean) | undefined
  readonly onEmit: (record: ReadableLogRecord, next: LogSink) => void
  readonly flush?: Effect.Effect<void> | undefined
}): LogRecordProcessorShape => ({
  name: options.name,
  enabled: options.enabled,
  onEmit: options.onEmit,
  flush: options.flush ?? Effect.void,
  accounts: []
})

/** The `enabled` of a processor that does nothing with a record but pass it on: it wants none for itself. */
export const passesOn = (): boolean => false

/**
 * One processor that runs `processors` in order. A failing one is isolated: the failure is reported and counted under
 * `processor.<name>`, and the record goes on.
 */
export const compose = (
  processors: ReadonlyArray<LogRecordProcessorShape>,
  diagnostics: Diagnostics
): LogRecordProcessorShape => {
  const failed = (processor: LogRecordProcessorShape, error: unknown): void =>
    diagnostics.report(
      "error",
      `processor.${processor.name}`,
      `log record processor ${processor.name} failed: ${describeError(error)}`
    )

  let tail: LogSink = end
  const run = chain<ReadableLogRecord>(
    processors.map((processor) => ({
      pass: (record, next) => processor.onEmit(record, next),
      accounts: processor.accounts,
      failed: (error) => failed(processor, error)
    })),
    {
      emit: (record) => tail.emit(record),
      drop: (reason, count) => tail.drop(reason, count),
      hold() {},
      sampledOut() {}
    }
  )
  const isWanted = (processor: LogRecordProcessorShape, probe: LogRecordProbe): boolean => {
    try {
      return processor.enabled?.(probe) ?? true
    } catch (error) {
      failed(processor, error)
      return true
    }
  }
  return {
    name: processors.map((processor) => processor.name).join(","),
    enabled: (probe) => processors.some((processor) => isWanted(processor, probe)),
    onEmit(record, next) {
      tail = next
      run(record)
    },
    flush: Effect.forEach(processors, (processor) => processor.flush, { discard: true }),
    accounts: processors.flatMap((processor) => processor.accounts)
  }
}

const end: LogSink = { emit() {}, drop() {} }
