import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { afterEach, vi } from "vitest"
import * as TelemetryConfig from "../../src/TelemetryConfig.ts"
import { plain } from "./support.ts"

const provided = (provider: ConfigProvider.ConfigProvider) =>
  Effect.provideService(TelemetryConfig.load(), ConfigProvider.ConfigProvider, provider)

describe("load", () => {
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.unstubAllGlobals()
  })

  it.effect("reads the process, as it is when asked", () =>
    Effect.gen(function*() {
      vi.stubEnv("OTEL_SERVICE_NAME", "first")
      assert.strictEqual((yield* TelemetryConfig.load()).config.serviceName, "first")
      vi.stubEnv("OTEL_SERVICE_NAME", "second")
      assert.strictEqual((yield* TelemetryConfig.load()).config.serviceName, "second")
      assert.strictEqual(
        (yield* TelemetryConfig.load({ env: {} })).config.resource.attributes["service.name"],
        undefined
      )
    }))

  it.effect("reads a provider instead, where one is given", () =>
    Effect.gen(function*() {
      vi.stubEnv("OTEL_SERVICE_NAME", "process")
      vi.stubEnv("OTEL_LOG_LEVEL", "debug")
      const { config, problems } = yield* provided(ConfigProvider.fromUnknown({
        OTEL_SERVICE_NAME: "provider",
        OTEL_SDK_DISABLED: true,
        OTEL_BSP_MAX_QUEUE_SIZE: 7,
        OTEL_EXPORTER_OTLP_HEADERS: "a=b"
      }))
      assert.strictEqual(config.serviceName, "provider")
      assert.strictEqual(config.logLevel, "info")
      assert.strictEqual(config.disabled, true)
      assert.strictEqual(config.batch.maxQueueSize, 7)
      assert.deepStrictEqual(plain(config.otlp.headers), { a: "b" })
      assert.deepStrictEqual(problems, [])
    }))

  it.effect("reads every variable from a provider of environment variables", () =>
    Effect.gen(function*() {
      const env: Record<string, string> = {}
      for (const variable of TelemetryConfig.variables) env[variable] = "junk!"
      const { problems } = yield* provided(ConfigProvider.fromEnv({ env }))
      const direct = yield* TelemetryConfig.load({ env })
      assert.deepStrictEqual(problems, direct.problems)
      assert.isAbove(problems.length, 30)
    }))

  it.effect("adds to the process with layerAdd", () =>
    Effect.gen(function*() {
      vi.stubEnv("OTEL_SERVICE_NAME", "process")
      const extra = ConfigProvider.fromUnknown({ OTEL_SERVICE_NAME: "fallback", OTEL_LOG_LEVEL: "error" })
      const { config } = yield* Effect.provide(TelemetryConfig.load(), ConfigProvider.layerAdd(extra))
      assert.strictEqual(config.serviceName, "process")
      assert.strictEqual(config.logLevel, "error")
    }))

  it.effect("lives with a provider that fails, dies, or has no text", () =>
    Effect.gen(function*() {
      const provider = ConfigProvider.make(([name]) =>
        name === "OTEL_SERVICE_NAME"
          ? Effect.fail(new ConfigProvider.SourceError({ message: "canary" }))
          : name === "OTEL_LOG_LEVEL"
          ? Effect.die("canary")
          : name === "OTEL_TRACES_EXPORTER"
          ? Effect.succeed(ConfigProvider.makeArray(2))
          : name === "OTEL_SERVICE_VERSION"
          ? Effect.succeed(ConfigProvider.makeRecord(new Set(["x"]), "1"))
          : Effect.undefined
      )
      const { config, problems } = yield* provided(provider)
      assert.deepStrictEqual(problems.map((problem) => problem.variable), [
        "OTEL_SERVICE_NAME",
        "OTEL_LOG_LEVEL",
        "OTEL_TRACES_EXPORTER"
      ])
      assert.deepStrictEqual(problems.map((problem) => problem.path), ["serviceName", "logLevel", "tracesExporters"])
      assert.notInclude(JSON.stringify(problems), "canary")
      assert.deepStrictEqual(config.tracesExporters, ["otlp"])
      assert.strictEqual(config.serviceVersion, "1")
    }))

  it.effect("fails with the options' error", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(TelemetryConfig.load({ options: { serviceName: "" } }))
      assert.instanceOf(error, TelemetryConfig.TelemetryConfigError)
      assert.strictEqual(error.issues[0].path, "serviceName")
    }))

  it.effect("needs no process", () =>
    Effect.gen(function*() {
      const process = globalThis.process
      vi.stubGlobal("process", undefined)
      const without = yield* TelemetryConfig.load()
      vi.stubGlobal("process", {
        get env(): never {
          throw new Error("no permission")
        },
        execPath: "C:\\Program Files\\Node.EXE"
      })
      const denied = yield* TelemetryConfig.load()
      vi.stubGlobal("process", process)
      assert.strictEqual(without.config.serviceName, "unknown_service")
      assert.strictEqual(denied.config.serviceName, "unknown_service:Node")
      assert.deepStrictEqual(denied.problems, [])
    }))
})
