import { assert, describe, it } from "@effect/vitest"
import { plain, resolve } from "./support.ts"

const prefix = "OTEL_EXPORTER_OTLP_"

describe("logs", () => {
  it("go nowhere unless that is said", () => {
    const exporters = (env: Record<string, string>, options = {}) => resolve(env, options).config.logsExporters
    assert.deepStrictEqual(exporters({}), [])
    assert.deepStrictEqual(exporters({ OTEL_TRACES_EXPORTER: "otlp" }), [])
    assert.deepStrictEqual(exporters({ OTEL_TRACES_EXPORTER: "none", OTEL_LOGS_EXPORTER: "otlp" }), ["otlp"])
    assert.deepStrictEqual(exporters({ OTEL_LOGS_EXPORTER: "none" }), [])
    assert.deepStrictEqual(exporters({ OTEL_LOGS_EXPORTER: "none" }, { logsExporters: ["console"] }), ["console"])
  })

  it("are sent below the base URL, or to a URL of their own", () => {
    const url = (env: Record<string, string>, options = {}) => resolve(env, options).config.otlpLogs.endpoint
    assert.strictEqual(url({ [`${prefix}ENDPOINT`]: "http://c/x/" }), "http://c/x/v1/logs")
    assert.strictEqual(url({ [`${prefix}TRACES_ENDPOINT`]: "http://t/v1/traces" }), "http://localhost:4318/v1/logs")
    const both = { [`${prefix}ENDPOINT`]: "http://c", [`${prefix}LOGS_ENDPOINT`]: "http://l/own" }
    assert.strictEqual(url(both), "http://l/own")
    assert.strictEqual(url(both, { otlp: { endpoint: "http://code" } }), "http://code/v1/logs")
    assert.strictEqual(
      url(both, { otlp: { endpoint: "http://code" }, otlpLogs: { endpoint: "http://code-l/" } }),
      "http://code-l/"
    )
  })

  it("take what is said of all signals, not what is said of traces, unless something is said of them", () => {
    const { config, problems } = resolve({
      [`${prefix}TIMEOUT`]: "1",
      [`${prefix}TRACES_TIMEOUT`]: "2",
      [`${prefix}COMPRESSION`]: "gzip",
      [`${prefix}LOGS_COMPRESSION`]: "none",
      [`${prefix}TRACES_PROTOCOL`]: "http/json"
    })
    assert.strictEqual(config.otlp.timeout, 2)
    assert.strictEqual(config.otlpLogs.timeout, 1)
    assert.strictEqual(config.otlp.compression, "gzip")
    assert.strictEqual(config.otlpLogs.compression, "none")
    assert.strictEqual(config.otlpLogs.protocol, "http/protobuf")
    assert.deepStrictEqual(problems, [])
  })

  it("take what is stated in code before what the environment states", () => {
    const env = { [`${prefix}LOGS_TIMEOUT`]: "3", [`${prefix}TIMEOUT`]: "4" }
    assert.strictEqual(resolve(env).config.otlpLogs.timeout, 3)
    assert.strictEqual(resolve(env, { otlp: { timeout: 5 } }).config.otlpLogs.timeout, 5)
    assert.strictEqual(resolve(env, { otlp: { timeout: 5 }, otlpLogs: { timeout: 6 } }).config.otlpLogs.timeout, 6)
  })

  it("unite the headers of all statements but those of traces", () => {
    const { config } = resolve({
      [`${prefix}HEADERS`]: "a=1,b=1,c=1",
      [`${prefix}TRACES_HEADERS`]: "t=1",
      [`${prefix}LOGS_HEADERS`]: "b=2,c=2",
      [`${prefix}LOGS_ENDPOINT`]: "http://user:secret@l/"
    }, { otlp: { headers: { c: "3", d: "3" } }, otlpLogs: { headers: { d: "4" } } })
    assert.deepStrictEqual(plain(config.otlpLogs.headers), {
      a: "1",
      authorization: `Basic ${btoa("user:secret")}`,
      b: "2",
      c: "3",
      d: "4"
    })
    assert.isUndefined(config.otlp.headers["authorization"])
    assert.strictEqual(config.otlpLogs.endpoint, "http://l/")
  })

  it("what cannot be taken of a general variable is told once, also where traces have their own", () => {
    const bad = { [`${prefix}TIMEOUT`]: "soon", [`${prefix}HEADERS`]: "no pair" }
    assert.strictEqual(resolve(bad).problems.length, 2)
    assert.strictEqual(resolve({ ...bad, [`${prefix}TRACES_TIMEOUT`]: "1" }).problems.length, 2)
  })

  it("half a pair of key and certificate is told once", () => {
    const general = resolve({ [`${prefix}CLIENT_KEY`]: "/k" })
    assert.strictEqual(general.problems.length, 1)
    assert.isUndefined(general.config.otlpLogs.clientKey)
    const own = resolve({ [`${prefix}LOGS_CLIENT_KEY`]: "/k" })
    assert.deepStrictEqual(own.problems.map(({ path }) => path), ["otlpLogs.clientKey"])
    assert.isUndefined(own.config.otlpLogs.clientKey)
    const pair = resolve({ [`${prefix}CLIENT_KEY`]: "/k", [`${prefix}LOGS_CLIENT_CERTIFICATE`]: "/c" })
    assert.strictEqual(pair.config.otlpLogs.clientKey, "/k")
    assert.strictEqual(pair.config.otlpLogs.clientCertificate, "/c")
  })

  it("batches are lowered to their queue", () => {
    const { config, problems } = resolve({ OTEL_BLRP_MAX_QUEUE_SIZE: "10", OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: "20" })
    assert.strictEqual(config.logBatch.maxExportBatchSize, 10)
    assert.deepStrictEqual(problems.map(({ path }) => path), ["logBatch.maxExportBatchSize"])
    assert.strictEqual(config.batch.maxExportBatchSize, 512)
  })
})
