import { assert, describe, it } from "@effect/vitest"
import * as EnvironmentCarrier from "../../src/context/EnvironmentCarrier.ts"
import * as Propagator from "../../src/context/Propagator.ts"
import * as Baggage from "../../src/model/Baggage.ts"

const every = Propagator.composite([
  Propagator.traceContext,
  Propagator.baggage,
  Propagator.b3,
  Propagator.b3multi,
  Propagator.jaeger
])

describe("the environment as a carrier", () => {
  it.each([
    ["traceparent", "TRACEPARENT"],
    ["x-b3-traceid", "X_B3_TRACEID"],
    ["uberctx-a.b", "UBERCTX_A_B"],
    ["already_UPPER", "ALREADY_UPPER"],
    ["1st", "_1ST"],
    ["a=b\0c", "A_B_C"]
  ])("%s is %s", (name, variable) => assert.strictEqual(EnvironmentCarrier.variableName(name), variable))

  it("carries every format there and back", () => {
    const context: Propagator.PropagationContext = {
      spanContext: {
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
        traceFlags: 3,
        traceState: "a=1",
        isRemote: true
      },
      baggage: Baggage.make({ tenant: "blue sky" })
    }
    const env: Record<string, string | undefined> = { PATH: "/bin", __proto__: null as never }
    every.inject(context, EnvironmentCarrier.setter(env))
    assert.deepStrictEqual(Object.keys(env).sort(), [
      "B3",
      "BAGGAGE",
      "PATH",
      "TRACEPARENT",
      "TRACESTATE",
      "UBERCTX_TENANT",
      "UBER_TRACE_ID",
      "X_B3_SAMPLED",
      "X_B3_SPANID",
      "X_B3_TRACEID"
    ])
    const w3c = Propagator.composite([Propagator.traceContext, Propagator.baggage])
    assert.deepStrictEqual(w3c.extract(EnvironmentCarrier.fromEnvironment(env)), context)
    for (const propagator of [Propagator.b3, Propagator.b3multi, Propagator.jaeger]) {
      const { spanContext } = propagator.extract(EnvironmentCarrier.fromEnvironment(env))
      assert.strictEqual(spanContext?.spanId, context.spanContext!.spanId)
    }
    const { baggage } = Propagator.jaeger.extract(EnvironmentCarrier.fromEnvironment(env))
    assert.strictEqual(Baggage.get(baggage, "tenant"), "blue sky")
  })

  it("reads own variables in upper case only", () => {
    const inherited = Object.create({ TRACEPARENT: "x" }) as EnvironmentCarrier.Environment
    assert.isUndefined(EnvironmentCarrier.fromEnvironment(inherited).get("traceparent"))
    assert.isUndefined(EnvironmentCarrier.fromEnvironment({ traceparent: "x" }).get("traceparent"))
    assert.strictEqual(EnvironmentCarrier.fromEnvironment({ TRACEPARENT: "x" }).get("traceparent"), "x")
  })

  it("a runtime without a process, or without permission, has none", () => {
    const { process } = globalThis
    try {
      Object.defineProperty(globalThis, "process", { value: undefined, configurable: true })
      assert.deepStrictEqual(EnvironmentCarrier.ofProcess(), {})
      Object.defineProperty(globalThis, "process", {
        get() {
          throw new Error("denied")
        },
        configurable: true
      })
      assert.deepStrictEqual(EnvironmentCarrier.ofProcess(), {})
    } finally {
      Object.defineProperty(globalThis, "process", { value: process, configurable: true, writable: true })
    }
    assert.strictEqual(EnvironmentCarrier.ofProcess(), process.env)
  })
})
