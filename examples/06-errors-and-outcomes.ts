/** How the exit of an effect becomes the status of its span, and how to say what is an error and what is not. */
import { Effect, Schema } from "effect"
import { InMemorySpanExporter, Outcome, TelemetryLayer, Trace } from "effect-telemetry"

class OutOfStock extends Schema.TaggedError<OutOfStock>()("OutOfStock", { sku: Schema.String, left: Schema.Number }) {
  override get message(): string {
    return `${this.left} of ${this.sku} left`
  }
}

class BankTimeout extends Schema.TaggedError<BankTimeout>()("BankTimeout", { millis: Schema.Number }) {
  override get message(): string {
    return `no answer within ${this.millis} ms`
  }
}

/** For the whole program: an empty shelf is business as usual, and an answer of 500 or more is an error. */
const outcome: Outcome.OutcomePolicy = {
  failure: (error) => error instanceof OutOfStock ? Outcome.expected : undefined,
  success: (value) => {
    const status = (value as { readonly status?: number } | undefined)?.status ?? 200
    return status >= 500 ? Outcome.error(`HTTP ${status}`, { "error.type": String(status) }) : undefined
  }
}

const cases: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
  Effect.succeed("fine").pipe(Effect.withSpan("success")),
  Effect.fail(new BankTimeout({ millis: 300 })).pipe(Effect.withSpan("tagged error")),
  Effect.fail(new OutOfStock({ sku: "lantern", left: 0 })).pipe(Effect.withSpan("expected failure")),
  Effect.succeed({ status: 503 }).pipe(Effect.withSpan("failing value")),
  Effect.sync((): unknown => JSON.parse("{")).pipe(Effect.withSpan("defect")),
  Effect.never.pipe(Effect.withSpan("interrupted"), Effect.timeout("10 millis")),
  Effect.fail(new BankTimeout({ millis: 100 })).pipe(
    Effect.withSpan("first try"),
    Effect.catch(() => Effect.succeed("another bank")),
    Effect.withSpan("recovered")
  ),
  // One span may judge for itself.
  Effect.fail("not today").pipe(
    Trace.span("own judgement", { outcome: { failure: (error) => Outcome.error(`refused: ${String(error)}`) } })
  )
]

const program = Effect.forEach(cases, Effect.exit, { discard: true })

const memory = InMemorySpanExporter.makeUnsafe()

await Effect.runPromise(
  program.pipe(Effect.provide(TelemetryLayer({ serviceName: "shop", outcome, exporters: [memory.exporter] })))
)

for (const { attributes, events, name, status } of await Effect.runPromise(memory.spans)) {
  console.log(`${name.padEnd(17)} ${status.code.padEnd(6)} ${status.message}`)
  if (attributes["effect.fiber.interrupted"] === true) console.log(`${"".padEnd(18)}(interrupted, which is no error)`)
  for (const event of events.filter(({ name }) => name === "exception")) {
    const fields = Object.entries(event.attributes)
      .filter(([key]) => key.startsWith("exception.field."))
      .map(([key, value]) => `${key.slice("exception.field.".length)}=${String(value)}`)
    console.log(`${"".padEnd(18)}exception ${String(event.attributes["exception.type"])} ${fields.join(" ")}`)
  }
}
