/** One layer, and every span of the program is shown. Nothing else has to run. */
import { Effect } from "effect"
import { ConsoleSpanExporter, TelemetryLayer } from "effect-telemetry"

const greet = Effect.fn("greet")(function*(name: string) {
  yield* Effect.annotateCurrentSpan("greeting.name", name)
  yield* Effect.sleep("20 millis")
  return `Hello, ${name}!`
})

const program = Effect.forEach(["Ada", "Grace", "Barbara"], greet, { concurrency: 2 }).pipe(
  Effect.tap((greetings) => Effect.sync(() => console.log(greetings.join("\n")))),
  Effect.withSpan("hello"),
  Effect.provide(TelemetryLayer({
    serviceName: "hello",
    // Without this line spans go to an OpenTelemetry collector on this machine.
    exporters: [ConsoleSpanExporter.make({ format: "tree", attributes: ["greeting.name"] })]
  }))
)

await Effect.runPromise(program)
