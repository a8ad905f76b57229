import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Propagator from "../../src/context/Propagator.ts"
import * as TestTelemetry from "../../src/testing/TestTelemetry.ts"
import { propagatingFetch } from "../../src/tracing/fetchPropagation.ts"
import * as Trace from "../../src/tracing/Trace.ts"
import { fromFiber } from "../../src/tracing/Tracer.ts"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"
const traceparent = `00-${traceId}-${spanId}-01`

/** The headers that leave for a request to which somebody had given `headers`. */
const sent = (headers: Record<string, string>, propagator = Propagator.layerDefault) =>
  Effect.withFiber((fiber) => {
    let left: Record<string, string> = {}
    const fetch: typeof globalThis.fetch = (_, init) => {
      left = init?.headers as Record<string, string>
      return Promise.resolve(new Response())
    }
    void propagatingFetch(fromFiber(fiber)!.core, fetch)("http://localhost/", { headers })
    return Effect.succeed(left)
  }).pipe(Trace.span("client"), Effect.provide(TestTelemetry.layer()), Effect.provide(propagator))

describe("propagatingFetch", () => {
  it.effect("takes out Effect's own b3, and puts our traceparent in the place of Effect's", () =>
    Effect.gen(function*() {
      for (const b3 of [`${traceId}-${spanId}-1-${spanId}`, "noop-noop-0"]) {
        const left = yield* sent({ traceparent, b3, accept: "text/plain" })
        assert.notProperty(left, "b3")
        assert.match(left["traceparent"]!, /^00-[0-9a-f]{32}-[0-9a-f]{16}-03$/)
        assert.notStrictEqual(left["traceparent"], traceparent)
        assert.strictEqual(left["accept"], "text/plain")
      }
    }))

  it.effect("leaves a b3 of another origin alone", () =>
    Effect.gen(function*() {
      const b3 = "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"
      assert.strictEqual((yield* sent({ traceparent, b3 }))["b3"], b3)
    }))

  it.effect("leaves a request alone that Effect did not propagate to", () =>
    Effect.gen(function*() {
      const headers = { b3: "0" }
      assert.deepStrictEqual(yield* sent(headers), headers)
    }))

  it.effect("a propagator of the program breaks no request and adds no header of another name", () =>
    Effect.gen(function*() {
      const throwing = Layer.succeed(Propagator.Propagator, {
        fields: ["x-broken"],
        inject() {
          throw new Error("no")
        },
        extract() {
          throw new Error("no")
        }
      })
      assert.deepStrictEqual(yield* sent({ traceparent, accept: "a/b" }, throwing), { accept: "a/b" })
      const injecting = Layer.succeed(Propagator.Propagator, {
        ...Propagator.none,
        inject(_: unknown, set: (name: string, value: string) => void) {
          set("x-one", "1\r\nx-two: 2")
          set("x-three: 3\r\nx-four", "4")
          set("x-five", "5")
        }
      })
      assert.deepStrictEqual(yield* sent({ traceparent }, injecting), { "x-five": "5" })
      const request = { headers: { traceparent } }
      assert.strictEqual(
        yield* Trace.withHeaders(Effect.succeed(1), request.headers).pipe(
          Effect.provide(TestTelemetry.layer()),
          Effect.provide(throwing)
        ),
        1
      )
    }))
})
