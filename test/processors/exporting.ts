import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { TracesLedger } from "../../src/diagnostics/CurrentLedger.ts"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import { SignalLedger } from "../../src/diagnostics/Ledger.ts"
import * as SpanExporter from "../../src/exporters/SpanExporter.ts"
import type { ReadableSpan } from "../../src/model/ReadableSpan.ts"
import { SpanProcessor, type SpanProcessorShape } from "../../src/processors/SpanProcessor.ts"
import { collected } from "../delivery/support.ts"
import { readable } from "../exporters/spans.ts"

class NameBatch implements SpanExporter.SpanBatch {
  readonly names: Array<string> = []
  get count() {
    return this.names.length
  }
  get bytes() {
    return this.names.length * 10
  }
  add(span: ReadableSpan): boolean {
    this.names.push(span.name)
    return true
  }
}

type Export = (names: ReadonlyArray<string>) => Effect.Effect<SpanExporter.ExportResult, SpanExporter.ExportError>

const all: Export = (names) => Effect.succeed({ exported: names.length })

/** A processor over an exporter that keeps the names it was given, with a ledger of its own. */
export const setUp = Effect.fnUntraced(function*(
  layer: Layer.Layer<SpanProcessor, never, SpanExporter.SpanExporter>,
  reply: Export = all
) {
  const batches: Array<ReadonlyArray<string>> = []
  const ledger = new SignalLedger()
  const exporter = SpanExporter.make<NameBatch>({
    name: "names",
    makeBatch: () => new NameBatch(),
    export: (batch) => {
      batches.push(batch.names)
      return reply(batch.names)
    }
  })
  const { diagnostics, lines } = collected()
  const scope = yield* Scope.make()
  const context = yield* Layer.build(Layer.provide(layer, Layer.succeed(SpanExporter.SpanExporter, exporter))).pipe(
    Scope.provide(scope),
    Effect.provideService(TracesLedger, ledger),
    Effect.provideService(Diagnostics, diagnostics)
  )
  const processor = Context.get(context, SpanProcessor)
  const forwarded: Array<string> = []
  const end = (target: SpanProcessorShape, name: string, traceFlags = 1): void => {
    ledger.created++
    target.onEnd(readable({ name, traceFlags }), {
      emit: (span) => forwarded.push(span.name),
      drop: () => assert.fail("dropped"),
      hold: () => assert.fail("held"),
      sampledOut: () => assert.fail("sampled out")
    })
    for (const account of ledger.accounts) assert.strictEqual(ledger.unaccounted(account), 0)
  }
  return { batches, ledger, processor, lines, diagnostics, forwarded, end, close: Scope.close(scope, Exit.void) }
})
