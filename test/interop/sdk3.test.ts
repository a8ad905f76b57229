/** What sdk.test.ts holds of SDK 2, in short, with API 1.10 and SDK 3, which are installed for test/interop alone. */
import type * as ApiModule from "@opentelemetry/api"
import type * as SdkModule from "@opentelemetry/sdk-trace-base"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as InMemorySpanExporter from "../../src/exporters/InMemorySpanExporter.ts"
import * as ForeignTracer from "../../src/interop/ForeignTracer.ts"
import * as FromOpenTelemetry from "../../src/interop/FromOpenTelemetry.ts"
import * as OpenTelemetry from "../../src/interop/OpenTelemetry.ts"
import * as ToOpenTelemetry from "../../src/interop/ToOpenTelemetry.ts"
import * as Sampler from "../../src/sampling/Sampler.ts"
import { Telemetry, TelemetryLayer, type TelemetryLayerOptions } from "../../src/Telemetry.ts"

const folder = fileURLToPath(new URL("line-3/", import.meta.url))
const [major, minor] = process.versions.node.split(".").map(Number) as [number, number]
const why = major < 22 || (major === 22 && minor < 15)
  ? "needs Node 22.15 or later"
  : existsSync(join(folder, "node_modules"))
  ? undefined
  : "npm ci --prefix test/interop/line-3 installs it"

const load = () => {
  const require = createRequire(join(folder, "package.json"))
  return {
    api: require("@opentelemetry/api") as typeof ApiModule,
    // Its types are not there where it is not installed; what is used here differs from SDK 2 in how it is made.
    sdk: require("@opentelemetry/sdk-trace") as Pick<typeof SdkModule, "InMemorySpanExporter" | "AlwaysOnSampler"> & {
      readonly TracerProvider: typeof SdkModule.BasicTracerProvider
      readonly BatchSpanProcessor: new(options: { exporter: unknown }) => SdkModule.SpanProcessor
      readonly SimpleSpanProcessor: new(options: { exporter: unknown }) => SdkModule.SpanProcessor
    }
  }
}

const quiet: TelemetryLayerOptions = { env: {}, detectors: ["none"], serviceName: "line 3", tracesExporters: [] }

describe.skipIf(why !== undefined)(`API 1.10 and SDK 3${why === undefined ? "" : ` (skipped: ${why})`}`, () => {
  it.effect("processors, exporters and samplers of theirs serve here", () =>
    Effect.scoped(Effect.gen(function*() {
      const { sdk } = load()
      const [processed, exported] = [new sdk.InMemorySpanExporter(), new sdk.InMemorySpanExporter()]
      const processor = yield* FromOpenTelemetry.spanProcessor(new sdk.BatchSpanProcessor({ exporter: processed }))
      const exporter = yield* FromOpenTelemetry.spanExporter(exported, { name: "theirs" })
      yield* Effect.gen(function*() {
        yield* Effect.void.pipe(Effect.withSpan("child", { attributes: { n: 1 } }), Effect.withSpan("parent"))
        yield* (yield* Telemetry).flush()
      }).pipe(
        Effect.provide(TelemetryLayer({ ...quiet, processors: [processor], exporters: [exporter] })),
        Effect.provide(Sampler.layer(FromOpenTelemetry.sampler(new sdk.AlwaysOnSampler())))
      )
      for (const memory of [processed, exported]) {
        const [child, parent] = memory.getFinishedSpans()
        assert.strictEqual(child!.parentSpanContext?.spanId, parent!.spanContext().spanId)
        assert.deepStrictEqual({ ...child!.attributes }, { n: 1 })
        assert.strictEqual(child!.resource.attributes["service.name"], "line 3")
      }
    })))

  it("an exporter of ours serves there, and Effect runs on their provider", async () => {
    const { api, sdk } = load()
    const memory = InMemorySpanExporter.makeUnsafe()
    const provider = new sdk.TracerProvider({
      spanProcessors: [new sdk.SimpleSpanProcessor({ exporter: ToOpenTelemetry.spanExporter(memory.exporter) })]
    })
    await Effect.void.pipe(
      Effect.withSpan("inner"),
      Effect.withSpan("outer"),
      Effect.provide(ForeignTracer.layer(api, { provider })),
      Effect.runPromise
    )
    await provider.forceFlush()
    const [inner, outer] = await Effect.runPromise(memory.spans)
    assert.deepStrictEqual([inner?.name, outer?.name], ["inner", "outer"])
    assert.strictEqual(inner!.parentSpanId, outer!.spanId)
    await provider.shutdown()
  })

  it("our tracer stands behind their API", async () => {
    const { api } = load()
    const memory = InMemorySpanExporter.makeUnsafe()
    const layer = OpenTelemetry.layer({ api }).pipe(
      Layer.provideMerge(TelemetryLayer({ ...quiet, exporters: [memory.exporter] }))
    )
    await Effect.promise(() =>
      api.trace.getTracer("library").startActiveSpan("library", async (span) => {
        await Promise.resolve()
        assert.strictEqual(api.trace.getActiveSpan(), span)
        span.end()
      })
    ).pipe(Effect.withSpan("outer"), Effect.provide(layer), Effect.runPromise)
    const [library, outer] = await Effect.runPromise(memory.spans)
    assert.strictEqual(library!.parentSpanId, outer!.spanId)
    assert.isUndefined(api.trace.getActiveSpan())
  })
})
