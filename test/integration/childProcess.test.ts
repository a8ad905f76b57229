/** A context that reaches a real child process through its environment, and comes back on its standard output. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestTelemetry from "../../src/testing/TestTelemetry.ts"
import { environment } from "../../src/tracing/EnvironmentPropagation.ts"
import * as Baggage from "../../src/model/Baggage.ts"
import * as Trace from "../../src/tracing/Trace.ts"
import { start } from "./programs.ts"

const programs = {
  Effect: `
    import { Effect } from "effect"
    import { EnvironmentPropagation, TelemetryLayer, Trace } from "effect-telemetry"
    const program = Effect.all([Trace.current, Trace.baggage, EnvironmentPropagation.environment({})]).pipe(
      Effect.map(([span, baggage, env]) => ({
        parent: span.value.parentSpanId, self: span.value.spanId, tenant: baggage.get("tenant")?.value, env
      })),
      Effect.withSpan("child")
    )
    const result = await program.pipe(
      Effect.provide(TelemetryLayer({ tracesExporters: ["none"], continueFromEnvironment: true })),
      Effect.runPromise
    )
    console.log(JSON.stringify(result))
  `,
  "plain TypeScript": `
    import { injectEnvironment, trace, TraceContext } from "effect-telemetry/promise"
    await TraceContext.initialize({ tracesExporters: ["none"], continueFromEnvironment: true })
    const result = await trace("child", async (span) => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      return {
        parent: span.parentSpanId, self: span.spanId, tenant: span.baggage?.get("tenant")?.value,
        env: injectEnvironment({})
      }
    })
    console.log(JSON.stringify(result))
    await TraceContext.shutdown()
  `,
  "plain TypeScript, by hand": `
    import { extractEnvironment, injectEnvironment, trace, TraceContext } from "effect-telemetry/promise"
    await TraceContext.initialize({ tracesExporters: ["none"] })
    const parent = extractEnvironment()
    const result = trace("child", { parent }, (span) => ({
      parent: span.parentSpanId, self: span.spanId, tenant: span.baggage?.get("tenant")?.value,
      env: injectEnvironment({})
    }))
    console.log(JSON.stringify(result))
    await TraceContext.shutdown()
  `
}

describe("a child process continues its parent's trace", () => {
  it.live.each(Object.entries(programs))("%s", ([, source]) =>
    Effect.gen(function*() {
      const { err, out } = yield* Effect.scoped(
        Effect.gen(function*() {
          const env = yield* environment({})
          const { ended } = yield* start(source, env)
          return yield* ended
        })
      ).pipe(Trace.span("parent"), Trace.updateBaggage(Baggage.set("tenant", "blue sky")))
      const parent = yield* TestTelemetry.span("parent")
      assert.strictEqual(err, "")
      const result = JSON.parse(out) as { readonly self: string }
      assert.deepStrictEqual<unknown>(result, {
        parent: parent.spanId,
        self: result.self,
        tenant: "blue sky",
        env: { TRACEPARENT: `00-${parent.traceId}-${result.self}-03`, BAGGAGE: "tenant=blue%20sky" }
      })
    }).pipe(Effect.provide(TestTelemetry.layer())))
})
