/** A tail sampler between a made-up tracer and a destination that remembers, with books that are checked at every step. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Account, SignalLedger } from "../../src/diagnostics/Ledger.ts"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { toRecord } from "../../src/model/Attributes.ts"
import { isSampled, type ReadableSpan } from "../../src/model/ReadableSpan.ts"
import * as SpanProcessor from "../../src/processors/SpanProcessor.ts"
import * as TailSampler from "../../src/processors/TailSampler.ts"
import * as OtTraceState from "../../src/sampling/OtTraceState.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import { type Fields, readable } from "../exporters/spans.ts"

/** What a test says of a span; `r` is the randomness of its trace as a fraction. */
export interface TailFields extends Fields {
  readonly r?: number
  readonly traceState?: string
  /** What the head sampler said. */
  readonly decision?: SpanProcessor.StartDecision
}

/** A span of a trace whose randomness is `r`. */
export const spanOf = (fields: TailFields): ReadableSpan => {
  const { decision: _, r = 0.5, traceState = "", ...rest } = fields
  const hi = Math.floor(r * 2 ** 28)
  const lo = Math.floor((r * 2 ** 28 - hi) * 2 ** 28)
  const word2 = ((fields.trace ?? 1) << 24) | (hi >>> 4)
  const word3 = ((hi & 0xf) << 28) | lo
  const words = { traceId0: 1, traceId1: (fields.trace ?? 1) >> 8, traceId2: word2, traceId3: word3 | 0 }
  const traceId = Object.values(words).map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("")
  return { ...readable(rest), ...words, traceId, traceState }
}

/** A span as it arrived. */
export interface Arrived {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  /** The value of `th`, if there is one. */
  readonly th: string | undefined
  readonly isSampled: boolean
  readonly attributes: Readonly<Record<string, unknown>>
}

/** What stands around a tail sampler. */
export const setUp = Effect.fnUntraced(function*(options?: TailSampler.Options) {
  const lines: Array<string> = []
  const diagnostics = Diagnostics.make({ write: (line) => void lines.push(line) })
  const tail = yield* Effect.provideService(TailSampler.make(options), Diagnostics.Diagnostics, diagnostics)
  const ledger = new SignalLedger()
  const account: Account = ledger.account("test")
  const arrived: Array<Arrived> = []
  const destination: SpanProcessor.SpanProcessorShape = {
    ...SpanProcessor.make({
      name: "destination",
      onEnd: (span) => {
        const threshold = OtTraceState.read(span.traceState).threshold
        arrived.push({
          name: span.name,
          traceId: span.traceId,
          spanId: span.spanId,
          th: threshold === undefined ? undefined : Threshold.toHex(threshold),
          isSampled: isSampled(span),
          attributes: toRecord(span.attributeList)
        })
        if (isSampled(span)) account.exported++
        else account.sampledOut++
      }
    }),
    accounts: [account]
  }
  const chain = SpanProcessor.compose([tail.processor, destination], diagnostics)
  const check = (): void => assert.strictEqual(ledger.unaccounted(account), 0, "the books balance")
  const outside: SpanProcessor.SpanSink = { emit() {}, drop() {}, hold() {}, sampledOut() {} }
  const start = (fields: TailFields): ReadableSpan => {
    const span = spanOf(fields)
    ledger.created++
    ledger.open++
    chain.onStart!(span, fields.decision)
    check()
    return span
  }
  const end = (span: ReadableSpan): void => {
    ledger.open--
    chain.onEnd(span, outside)
    check()
  }
  return {
    tail,
    account,
    arrived,
    lines,
    check,
    start,
    end,
    failures: () => diagnostics.counts.get("processor.tail") ?? 0,
    /** Starts and ends a span. */
    span: (fields: TailFields): void => end(start(fields)),
    names: () => arrived.map(({ name }) => name)
  }
})
