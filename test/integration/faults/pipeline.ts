/** What every fault is tried on: batch processor, OTLP exporter and the Node transport, and their books. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { TracesLedger } from "../../../src/diagnostics/CurrentLedger.ts"
import { Diagnostics } from "../../../src/diagnostics/Diagnostics.ts"
import { SignalLedger } from "../../../src/diagnostics/Ledger.ts"
import * as OtlpSpanExporter from "../../../src/exporters/OtlpSpanExporter.ts"
import { SpanExporter } from "../../../src/exporters/SpanExporter.ts"
import type { ReadableSpan } from "../../../src/model/ReadableSpan.ts"
import * as BatchSpanProcessor from "../../../src/processors/BatchSpanProcessor.ts"
import { collected } from "../../delivery/support.ts"
import { readable } from "../../exporters/spans.ts"
import type { Handler } from "../server.ts"

/** Starts a pipeline towards `url`. What ends is counted as a tracer does, and the books are looked at each time. */
export const pipeline = Effect.fnUntraced(function*(
  url: string,
  options?: Partial<OtlpSpanExporter.OtlpSpanExporterOptions>,
  limits?: BatchSpanProcessor.BatchSpanProcessorOptions
) {
  const ledger = new SignalLedger()
  const { diagnostics, lines } = collected()
  const scope = yield* Scope.make()
  const processor = yield* Effect.gen(function*() {
    const exporter = yield* OtlpSpanExporter.make({
      url,
      timeout: 2_000,
      retry: { base: "20 millis" },
      ...options
    })
    return yield* Effect.provideService(
      BatchSpanProcessor.make({ scheduleDelay: "10 seconds", ...limits }),
      SpanExporter,
      exporter
    )
  }).pipe(
    Scope.provide(scope),
    Effect.provideService(TracesLedger, ledger),
    Effect.provideService(Diagnostics, diagnostics)
  )
  const account = ledger.accounts[0]!
  const conserved = () => {
    const { droppedTotal, exported, queued, rejectedTotal, spooled } = account
    assert.strictEqual(exported + rejectedTotal + droppedTotal + queued + spooled, ledger.created)
    assert.strictEqual(ledger.unaccounted(account), 0)
  }
  const offer = (span: ReadableSpan) => {
    ledger.created++
    processor.onEnd(span, {
      emit: () => {},
      drop: () => assert.fail("dropped"),
      hold: () => assert.fail("held"),
      sampledOut: () => assert.fail("sampled out")
    })
    conserved()
  }
  const end = (count: number, nameLength = 4) => {
    for (let id = 1; id <= count; id++) offer(readable({ id, name: "n".repeat(nameLength) }))
  }
  const books = () => {
    const { dropped, exported, queued, rejected, spooled } = account
    return { exported, rejected: { ...rejected }, dropped: { ...dropped }, queued, spooled }
  }
  return { account, books, conserved, end, offer, flush: processor.flush, lines, close: Scope.close(scope, Exit.void) }
})

/** Books of which only what is given is not nothing. */
export const booksOf = (given: Partial<ReturnType<Effect.Success<ReturnType<typeof pipeline>>["books"]>>) => ({
  exported: 0,
  rejected: {},
  dropped: {},
  queued: 0,
  spooled: 0,
  ...given
})

/** Never answers. */
export const hang: Handler = () => {}

/** Answers byte by byte, each of which starts an idle timer anew. */
export const drip: Handler = ({ response }) => {
  response.writeHead(200, { "content-length": "100000" })
  const timer = setInterval(() => response.write("."), 20)
  response.on("close", () => clearInterval(timer))
}
