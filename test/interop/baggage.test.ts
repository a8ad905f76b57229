/** Baggage that plain code lays around itself, as the API of OpenTelemetry sees it, and the other way round. */
import * as api from "@opentelemetry/api"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as OpenTelemetry from "../../src/interop/OpenTelemetry.ts"
import { getBaggage, withBaggage } from "../../src/promise/index.ts"
import { TelemetryLayer } from "../../src/Telemetry.ts"

const registered = OpenTelemetry.layer({ api }).pipe(
  Layer.provideMerge(TelemetryLayer({ env: {}, detectors: ["none"], tracesExporters: ["none"] }))
)

const theirs = (): string | undefined => api.propagation.getActiveBaggage()?.getEntry("tenant")?.value
const ours = (): string | undefined => getBaggage().get("tenant")
const key = api.createContextKey("key")

describe("withBaggage", () => {
  it.effect("reaches the API, without a context of its own and within one, and leaves the rest of it", () =>
    Effect.sync(() => {
      const tracer = api.trace.getTracer("library")
      withBaggage({ tenant: "blue" }, () => {
        assert.deepStrictEqual([ours(), theirs()], ["blue", "blue"])
        tracer.startActiveSpan("span", (span) => {
          assert.deepStrictEqual([ours(), theirs()], ["blue", "blue"])
          span.end()
        })
      })
      api.context.with(api.context.active().setValue(key, 1), () =>
        withBaggage({ tenant: "blue" }, () => {
          assert.deepStrictEqual([ours(), theirs()], ["blue", "blue"])
          assert.strictEqual(api.context.active().getValue(key), 1)
          withBaggage({ tenant: undefined }, () => assert.deepStrictEqual([ours(), theirs()], [undefined, undefined]))
        }))
      assert.deepStrictEqual([ours(), theirs()], [undefined, undefined])
    }).pipe(Effect.provide(registered)))

  it.effect("adds to what the API has laid there", () =>
    Effect.sync(() => {
      const baggage = api.propagation.createBaggage({ tenant: { value: "red" } })
      api.context.with(api.propagation.setBaggage(api.context.active(), baggage), () => {
        assert.strictEqual(ours(), "red")
        withBaggage({ other: "x" }, () => assert.deepStrictEqual([ours(), theirs()], ["red", "red"]))
      })
    }).pipe(Effect.provide(registered)))
})
