import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Diagnostics } from "../diagnostics/Diagnostics.ts"
import type { Account, DropReason } from "../diagnostics/Ledger.ts"
import { describeError } from "../internal/describeError.ts"
import type { ReadableSpan } from "../model/ReadableSpan.ts"
import type { SamplingDecision } from "../sampling/Sampler.ts"

/** What the sampler said about a span that is recorded. */
export type StartDecision = Pick<SamplingDecision, "threshold" | "reliable" | "record">

/** The rest of the road behind a processor. */
export interface SpanSink {
  /** Hands the span to the next processor. Never throws. */
  emit(span: ReadableSpan): void
  /** Books spans that go no further, for every destination behind this processor. */
  drop(reason: DropReason, count: number): void
  /**
   * Books spans that are kept back to be emitted later, or taken back by a negative `count` just before they are: for every
   * destination behind this processor they count as queued.
   */
  hold(count: number): void
  /** Books spans that a sampler behind the tracer did not select, for every destination behind this processor. */
  sampledOut(count: number): void
}

/**
 * One station of the road of an ended span.
 *
 * **Details**
 *
 * `onEnd` is synchronous. It forwards the span with `next.emit`, or gives it up with `next.drop` or `next.sampledOut`; one
 * that is to be emitted later is booked with `next.hold` until then. Doing none of these loses the span and breaks the
 * ledger. An exception is caught and counted, and a span that is not accounted for goes on to the next processor.
 */
export interface SpanProcessorShape {
  readonly name: string
  /** Called when a recorded span starts. The tracer says what the sampler decided. */
  readonly onStart?: ((span: ReadableSpan, decision?: StartDecision) => void) | undefined
  readonly onEnd: (span: ReadableSpan, next: SpanSink) => void
  /**
   * Whether it looks at a span after `onEnd` has returned, or emits it later. With `false` in the whole chain the tracer
   * drops what an ended span holds, so that a live child does not keep the attributes of its ancestors in memory. Default
   * `true`.
   */
  readonly keepsSpans?: boolean | undefined
  /** Completes when everything handed to this processor before has been delivered or given up. */
  readonly flush: Effect.Effect<void>
  /** The ledger accounts of the destinations this processor feeds itself. */
  readonly accounts: ReadonlyArray<Account>
}

/** The processors of a tracer, in order. */
export class SpanProcessor extends Context.Service<SpanProcessor, SpanProcessorShape>()(
  "effect-telemetry/processors/SpanProcessor"
) {}

/** Makes a processor that feeds no destination of its own; what is left out does nothing. */
export const make = (options: {
  readonly name: string
  readonly onStart?: ((span: ReadableSpan, decision?: StartDecision) => void) | undefined
  readonly onEnd: (span: ReadableSpan, next: SpanSink) => void
  readonly keepsSpans?: boolean | undefined
  readonly flush?: Effect.Effect<void> | undefined
}): SpanProcessorShape => ({
  name: options.name,
  onStart: options.onStart,
  onEnd: options.onEnd,
  keepsSpans: options.keepsSpans,
  flush: options.flush ?? Effect.void,
  accounts: []
})

const end: SpanSink = { emit() {}, drop() {}, hold() {}, sampledOut() {} }

/**
 * One processor that runs `processors` in order. A failing one is isolated: the failure is reported and counted under
 * `processor.<name>`, and the span goes on.
 */
export const compose = (
  processors: ReadonlyArray<SpanProcessorShape>,
  diagnostics: Diagnostics
): SpanProcessorShape => {
  const accounts = processors.flatMap((processor) => processor.accounts)
  const starting = processors.filter((processor) => processor.onStart !== undefined)

  const failed = (processor: SpanProcessorShape, error: unknown): void =>
    diagnostics.report(
      "error",
      `processor.${processor.name}`,
      `span processor ${processor.name} failed: ${describeError(error)}`
    )

  const chain = (index: number, tail: SpanSink): (span: ReadableSpan) => void => {
    const processor = processors[index]
    if (processor === undefined) return (span) => tail.emit(span)
    const rest = chain(index + 1, tail)
    const behind = processors.slice(index + 1).flatMap((next) => next.accounts)
    // The span that the processor is busy with, which an exception must neither lose nor emit twice.
    let current: ReadableSpan | undefined
    let isEmitted = false
    // How often it has accounted for a span in another way.
    let booked = 0
    const sink: SpanSink = {
      emit(span) {
        if (span === current) isEmitted = true
        rest(span)
      },
      drop(reason, count) {
        booked++
        for (const account of behind) account.drop(reason, count)
        tail.drop(reason, count)
      },
      hold(count) {
        booked++
        for (const account of behind) account.queued += count
        tail.hold(count)
      },
      sampledOut(count) {
        booked++
        for (const account of behind) account.sampledOut += count
        tail.sampledOut(count)
      }
    }
    return (span) => {
      const before = booked
      const outer = current
      const wasEmitted = isEmitted
      current = span
      isEmitted = false
      try {
        processor.onEnd(span, sink)
      } catch (error) {
        failed(processor, error)
        if (!isEmitted && booked === before) rest(span)
      }
      current = outer
      isEmitted = wasEmitted
    }
  }

  let tail: SpanSink = end
  const run = chain(0, {
    emit: (span) => tail.emit(span),
    drop: (reason, count) => tail.drop(reason, count),
    hold: (count) => tail.hold(count),
    sampledOut: (count) => tail.sampledOut(count)
  })
  return {
    name: processors.map((processor) => processor.name).join(","),
    onStart: starting.length === 0 ? undefined : (span, decision) => {
      for (const processor of starting) {
        try {
          processor.onStart!(span, decision)
        } catch (error) {
          failed(processor, error)
        }
      }
    },
    onEnd(span, next) {
      tail = next
      run(span)
    },
    keepsSpans: processors.some((processor) => processor.keepsSpans !== false),
    flush: Effect.forEach(processors, (processor) => processor.flush, { discard: true }),
    accounts
  }
}
