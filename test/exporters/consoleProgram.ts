/** Writes many spans to standard output, then says on standard error that it came to its end. */
import * as Effect from "effect/Effect"
import * as Console from "../../src/exporters/ConsoleSpanExporter.ts"
import { readable } from "./spans.ts"

const format = process.argv[2] as NonNullable<Console.Options["format"]>

const program = Effect.gen(function*() {
  const exporter = yield* Console.make({ format, stream: "stdout" })
  for (let i = 1; i <= 200; i++) {
    const batch = exporter.makeBatch()
    batch.add(readable({ trace: i, id: 1, name: `GET /${i}`, attributes: { text: "x".repeat(2000) } }), Infinity)
    yield* exporter.export(batch)
    yield* Effect.sleep(1)
  }
})

Effect.runPromise(Effect.scoped(program)).then(() => console.error("at the end"))
