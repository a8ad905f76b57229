/** A program that exports a span, leaves one in retry and one in a batch, closes nothing, and comes to its end. */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { TracesLedger } from "../../src/diagnostics/CurrentLedger.ts"
import { SignalLedger } from "../../src/diagnostics/Ledger.ts"
import * as OtlpSpanExporter from "../../src/exporters/OtlpSpanExporter.ts"
import { SpanExporter } from "../../src/exporters/SpanExporter.ts"
import * as BatchSpanProcessor from "../../src/processors/BatchSpanProcessor.ts"
import { readable } from "../exporters/spans.ts"

const ledger = new SignalLedger()

const program = Effect.gen(function*() {
  const exporter = yield* OtlpSpanExporter.make({ url: process.argv[2]! })
  const processor = yield* Effect.provideService(BatchSpanProcessor.make(), SpanExporter, exporter)
  const end = () => processor.onEnd(readable(), { emit: () => {}, drop: () => {}, hold() {}, sampledOut() {} })
  end()
  yield* processor.flush
  end()
  // Sends the second batch without waiting for what becomes of it.
  yield* Effect.forkDetach(Effect.timeoutOption(processor.flush, "300 millis"))
  yield* Effect.sleep("400 millis")
  end()
})

await Effect.runPromise(
  program.pipe(Effect.provideService(Scope.Scope, Scope.makeUnsafe()), Effect.provideService(TracesLedger, ledger))
)
process.on("exit", () => {
  const { dropped, exported, queued } = ledger.accounts[0]!
  console.log(`exported ${exported}, queued ${queued}, lost ${dropped.shutdown ?? 0}`)
})
