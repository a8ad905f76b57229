import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { defaultSamplerConfig } from "../../src/sampling/SamplerConfig.ts"
import * as TelemetryConfig from "../../src/TelemetryConfig.ts"
import { plain, reject, resolve } from "./support.ts"

const messages = (problems: ReadonlyArray<TelemetryConfig.Problem>): ReadonlyArray<string> =>
  problems.map((problem) => problem.message)

describe("defaults", () => {
  it("are the specification's", () => {
    const { config, problems } = resolve()
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual({ ...config, serviceName: "" }, {
      disabled: false,
      serviceName: "",
      serviceVersion: undefined,
      resource: { attributes: Object.create(null), schemaUrl: undefined },
      detectors: ["host", "process", "serviceinstance"],
      logLevel: "info",
      propagators: ["tracecontext", "baggage"],
      trustIncoming: true,
      propagateTo: ["all"],
      propagateBaggageTo: ["internal"],
      continueFromEnvironment: false,
      sampler: { parentBased: { root: "always_on" } },
      tracesExporters: ["otlp"],
      redact: true,
      shutdownTimeout: 3000,
      shutdownOn: [],
      followAsync: true,
      startupProbe: false,
      selfMetrics: true,
      batch: {
        maxQueueSize: 2048,
        maxQueueBytes: 32 * 1024 * 1024,
        maxExportBatchSize: 512,
        maxBatchBytes: 4 * 1024 * 1024,
        scheduleDelay: 5000,
        exportTimeout: 30_000
      },
      spool: {
        directory: undefined,
        mode: "overflow",
        durability: "process",
        maxBytes: 64 * 1024 * 1024,
        maxAge: 86_400_000,
        minFreeBytes: 256 * 1024 * 1024
      },
      spanLimits: {
        attributeCountLimit: 128,
        attributeValueLengthLimit: Infinity,
        eventCountLimit: 128,
        linkCountLimit: 128,
        attributePerEventCountLimit: 128,
        attributePerLinkCountLimit: 128,
        attributeDepthLimit: 64
      },
      otlp: {
        endpoint: "http://localhost:4318/",
        tracesEndpoint: "http://localhost:4318/v1/traces",
        headers: Object.create(null),
        timeout: 10_000,
        compression: "none",
        protocol: "http/protobuf",
        allowClearTextCredentials: false,
        certificate: undefined,
        clientKey: undefined,
        clientCertificate: undefined,
        maxRequestBytes: 64 * 1024 * 1024,
        maxResponseBytes: 4 * 1024 * 1024
      }
    })
  })

  it("name an unknown service by its executable", () => {
    assert.match(resolve().config.serviceName, /^unknown_service:[^/\\]+$/)
  })
})

describe("service.name", () => {
  const stated = (env: TelemetryConfig.Environment, options?: TelemetryConfig.TelemetryOptions) => {
    const { config } = resolve(env, options)
    assert.strictEqual(config.resource.attributes["service.name"], config.serviceName)
    return config.serviceName
  }
  const env = { OTEL_SERVICE_NAME: "variable", OTEL_RESOURCE_ATTRIBUTES: "service.name=among,service.version=2" }

  it("comes from the strongest statement", () => {
    const resource = { attributes: { "service.name": "attribute" } }
    assert.strictEqual(stated(env, { serviceName: "option", resource }), "option")
    assert.strictEqual(stated(env, { resource }), "attribute")
    assert.strictEqual(stated(env), "variable")
    assert.strictEqual(stated({ ...env, OTEL_SERVICE_NAME: " " }), "among")
    assert.strictEqual(stated(env, { resource: { attributes: { "service.name": "" } } }), "variable")
  })

  it("is no attribute while nobody stated it, so that a detector can", () => {
    assert.notProperty(resolve().config.resource.attributes, "service.name")
  })

  it("has a version by the same rule", () => {
    assert.strictEqual(resolve(env).config.serviceVersion, "2")
    assert.strictEqual(resolve({ ...env, OTEL_SERVICE_VERSION: "3" }).config.serviceVersion, "3")
    const { config } = resolve({ ...env, OTEL_SERVICE_VERSION: "3" }, { serviceVersion: "4" })
    assert.strictEqual(config.resource.attributes["service.version"], "4")
  })
})

describe("resource attributes", () => {
  it("unite code and environment, code first", () => {
    const { config } = resolve({ OTEL_RESOURCE_ATTRIBUTES: "a=env,b=env" }, {
      resource: { attributes: { a: 1, c: [true] } }
    })
    assert.deepStrictEqual({ ...config.resource.attributes }, { a: 1, b: "env", c: [true] })
  })

  it("take any value in code, without its secrets", () => {
    const attributes = { secret: Redacted.make("canary"), gone: undefined, "": 1, long: "x".repeat(5000), fn: () => 0 }
    const { config } = resolve({}, { resource: { attributes } })
    assert.deepStrictEqual({ ...config.resource.attributes }, { secret: "<redacted>", long: "x".repeat(5000) })
  })
})

describe("lists", () => {
  it("drop and tell each unknown name, as it was written, and keep the others", () => {
    const { config, problems } = resolve({ OTEL_TRACES_EXPORTER: "Zipkin,otlp,none,LOGGING" })
    assert.deepStrictEqual(config.tracesExporters, ["otlp"])
    assert.deepStrictEqual(problems.map((problem) => problem.value), [`"Zipkin"`, `"none"`, `"LOGGING"`])
  })

  it("expand in code", () => {
    const { config } = resolve({}, { detectors: ["all"], propagators: ["none"], tracesExporters: ["otlp", "otlp"] })
    assert.deepStrictEqual(config.detectors, ["host", "process", "serviceinstance"])
    assert.deepStrictEqual(config.propagators, [])
    assert.deepStrictEqual(config.tracesExporters, ["otlp"])
    assert.deepStrictEqual(resolve({}, { tracesExporters: [] }).config.tracesExporters, [])
  })

  it("refuse none beside others in code", () => {
    assert.deepStrictEqual(reject({ propagators: ["baggage", "none"] }).issues.map(({ path }) => path), ["propagators"])
    assert.deepStrictEqual(reject({ propagators: ["baggage", "b4"] }).issues.map(({ path, value }) => [path, value]), [
      ["propagators.1", `"b4"`]
    ])
  })
})

describe("sampler", () => {
  it("takes hosts and trust, and says what is wrong with them", () => {
    const { config } = resolve({}, {
      trustIncoming: "edge",
      propagateTo: ["API.example.com", "api.example.com", "*.shop.example", "localhost:8080", "[::1]:80", "internal"],
      propagateBaggageTo: ["none"]
    })
    assert.strictEqual(config.trustIncoming, "edge")
    assert.deepStrictEqual(config.propagateTo, [
      "api.example.com",
      "*.shop.example",
      "localhost:8080",
      "[::1]:80",
      "internal"
    ])
    assert.deepStrictEqual(config.propagateBaggageTo, [])
    for (
      const host of ["", "https://api.example.com", "a b", "*", "*.", "a..b", "a:port", "a/b", "user@host", "a\r\nb"]
    ) {
      assert.deepStrictEqual(
        reject({ propagateTo: ["ok", host] }).issues.map(({ path }) => path),
        ["propagateTo.1"],
        host
      )
    }
    assert.deepStrictEqual(reject({ propagateBaggageTo: ["all", "none"] }).issues.length, 1)
    assert.strictEqual(
      reject({ trustIncoming: "some" as never }).message,
      `option trustIncoming is "some", expected true, false or "edge"`
    )
  })

  it("says of a propagator that others have why it is not here, and takes the rest", () => {
    const { config, problems } = resolve({ OTEL_PROPAGATORS: "xray,b3,OTtrace" })
    assert.deepStrictEqual(config.propagators, ["b3"])
    assert.deepStrictEqual(problems.map(({ message }) => message.slice(0, message.indexOf(": expected"))), [
      "OTEL_PROPAGATORS=\"xray\" is not supported (provide a Propagator for it) and is ignored",
      "OTEL_PROPAGATORS=\"OTtrace\" is not supported (OpenTelemetry has deprecated it) and is ignored"
    ])
  })

  it("argument without a sampler is told", () => {
    const { config, problems } = resolve({ OTEL_TRACES_SAMPLER_ARG: "0.1" })
    assert.deepStrictEqual(config.sampler, defaultSamplerConfig)
    assert.strictEqual(problems.length, 1)
    assert.include(problems[0]!.message, "OTEL_TRACES_SAMPLER beside it")
  })

  it("argument that the sampler does not take is told", () => {
    const { config, problems } = resolve({ OTEL_TRACES_SAMPLER: "always_off", OTEL_TRACES_SAMPLER_ARG: "0.1" })
    assert.strictEqual(config.sampler, "always_off")
    assert.deepStrictEqual(problems.map((problem) => problem.variable), ["OTEL_TRACES_SAMPLER_ARG"])
  })

  it("a Jaeger sampler takes what its argument says, and tells what it cannot take", () => {
    const { config, problems } = resolve({
      OTEL_TRACES_SAMPLER: "parentbased_jaeger_remote",
      OTEL_TRACES_SAMPLER_ARG: "endpoint=http://jaeger:5778/sampling, pollingIntervalMs=5000,initialSamplingRate=0.25"
    })
    assert.deepStrictEqual(config.sampler, {
      parentBased: {
        root: {
          jaegerRemote: {
            endpoint: "http://jaeger:5778/sampling",
            pollingInterval: 5_000,
            initialSampler: { traceIdRatio: 0.25 }
          }
        }
      }
    })
    assert.deepStrictEqual(problems, [])
    const bad = resolve({
      OTEL_TRACES_SAMPLER: "jaeger_remote",
      OTEL_TRACES_SAMPLER_ARG: "endpoint=jaeger:14250,pollingIntervalMs=0,initialSamplingRate=25,colour=red"
    })
    assert.deepStrictEqual(bad.config.sampler, { jaegerRemote: {} })
    assert.deepStrictEqual(
      bad.problems.map(({ value, variable }) => `${variable} ${value}`),
      ["endpoint=jaeger:14250", "pollingIntervalMs=0", "initialSamplingRate=25", "colour=red"].map((part) =>
        `OTEL_TRACES_SAMPLER_ARG "${part}"`
      )
    )
  })

  it("an X-Ray sampler is refused with the reason", () => {
    const { config, problems } = resolve({ OTEL_TRACES_SAMPLER: "xray" })
    assert.deepStrictEqual(config.sampler, { parentBased: { root: "always_on" } })
    assert.include(problems[0]?.message, "X-Ray's central sampling is not built in")
  })

  it("option silences both variables", () => {
    const { config, problems } = resolve(
      { OTEL_TRACES_SAMPLER: "x", OTEL_TRACES_SAMPLER_ARG: "y" },
      { sampler: { parentBased: { root: { traceIdRatio: 0.1 }, remoteParentNotSampled: "always_on" } } }
    )
    assert.deepStrictEqual(config.sampler, {
      parentBased: { root: { traceIdRatio: 0.1 }, remoteParentNotSampled: "always_on" }
    })
    assert.deepStrictEqual(problems, [])
  })

  it("refuses what is no sampler", () => {
    for (
      const sampler of [
        "sometimes",
        {},
        { traceIdRatio: 1.5 },
        { traceIdRatio: NaN },
        { traceIdRatio: 0.5, parentBased: { root: "always_on" } },
        { parentBased: {} },
        { parentBased: { root: "always_on", remoteParentsampled: "always_off" } },
        { parentBased: { root: { parentBased: { root: { traceIdRatio: -1 } } } } }
      ]
    ) {
      const { issues } = reject({ sampler })
      assert.strictEqual(issues.length, 1, JSON.stringify(sampler))
      assert.isTrue(issues[0].path.startsWith("sampler"))
    }
  })
})

describe("batch", () => {
  it("size is lowered to the queue's, and told only to whom stated it", () => {
    const silent = resolve({ OTEL_BSP_MAX_QUEUE_SIZE: "100" })
    assert.strictEqual(silent.config.batch.maxExportBatchSize, 100)
    assert.deepStrictEqual(silent.problems, [])

    const told = resolve({ OTEL_BSP_MAX_QUEUE_SIZE: "100", OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "101" })
    assert.strictEqual(told.config.batch.maxExportBatchSize, 100)
    assert.deepStrictEqual(messages(told.problems), [
      "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=101 is lowered to 100: expected at most batch.maxQueueSize, 100"
    ])

    const code = resolve({}, { batch: { maxQueueBytes: 10, maxBatchBytes: 11 } })
    assert.strictEqual(code.config.batch.maxBatchBytes, 10)
    assert.deepStrictEqual(code.problems.map(({ path, variable }) => [path, variable]), [
      ["batch.maxBatchBytes", undefined]
    ])
    assert.deepStrictEqual(resolve({}, { batch: { maxQueueSize: 5, maxExportBatchSize: 5 } }).problems, [])
  })
})

describe("times in code", () => {
  it("take any duration", () => {
    const { config } = resolve({}, {
      shutdownTimeout: "2 seconds",
      batch: { scheduleDelay: Duration.minutes(1), exportTimeout: 0 },
      otlp: { timeout: "Infinity" }
    })
    assert.strictEqual(config.shutdownTimeout, 2000)
    assert.strictEqual(config.batch.scheduleDelay, 60_000)
    assert.strictEqual(config.batch.exportTimeout, Infinity)
    assert.strictEqual(config.otlp.timeout, Infinity)
    assert.strictEqual(resolve({}, { shutdownTimeout: 0 }).config.shutdownTimeout, 0)
    assert.strictEqual(resolve({}, { otlp: { timeout: 1_500_000n } }).config.otlp.timeout, 1.5)
  })

  it("refuse what is none, negative, or without an end where one is needed", () => {
    for (const value of [-1, NaN, "soon", "-5 seconds", null, Infinity, 2 ** 31, "Infinity", Duration.infinity, [1]]) {
      assert.strictEqual(reject({ shutdownTimeout: value }).issues[0].path, "shutdownTimeout", String(value))
    }
    for (const value of [-1, NaN, "soon", "-Infinity", 2 ** 31]) {
      assert.strictEqual(reject({ otlp: { timeout: value } }).issues[0].path, "otlp.timeout", String(value))
    }
  })
})

describe("endpoint", () => {
  const traces = (env: TelemetryConfig.Environment, options?: TelemetryConfig.TelemetryOptions): string =>
    resolve(env, options).config.otlp.tracesEndpoint
  const base = "OTEL_EXPORTER_OTLP_ENDPOINT"
  const signal = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"

  it("as a base gets the signal's path, with one slash", () => {
    for (
      const [given, expected] of [
        ["http://h:4318", "http://h:4318/v1/traces"],
        ["http://h:4318/", "http://h:4318/v1/traces"],
        ["https://h/otlp", "https://h/otlp/v1/traces"],
        ["https://h/otlp/", "https://h/otlp/v1/traces"],
        ["https://h/otlp//", "https://h/otlp//v1/traces"],
        ["https://h/otlp?tenant=1", "https://h/otlp/v1/traces?tenant=1"],
        ["https://h:443", "https://h/v1/traces"]
      ] as const
    ) {
      assert.strictEqual(traces({ [base]: given }), expected)
      assert.strictEqual(traces({}, { otlp: { endpoint: given } }), expected)
    }
  })

  it("for the signal is used as it is, with a slash for no path", () => {
    for (
      const [given, expected] of [
        ["http://h:4318", "http://h:4318/"],
        ["http://h:4318/x", "http://h:4318/x"],
        ["http://h:4318/x/", "http://h:4318/x/"],
        ["http://h/v1/traces?a=b", "http://h/v1/traces?a=b"]
      ] as const
    ) {
      assert.strictEqual(traces({ [signal]: given, [base]: "http://other" }), expected)
      assert.strictEqual(traces({}, { otlp: { tracesEndpoint: given, endpoint: "http://other" } }), expected)
    }
  })

  it("in code wins over every variable", () => {
    const env = { [signal]: "http://env/signal", [base]: "http://env" }
    assert.strictEqual(traces(env), "http://env/signal")
    assert.strictEqual(traces(env, { otlp: { endpoint: "http://code" } }), "http://code/v1/traces")
    assert.strictEqual(traces(env, { otlp: { tracesEndpoint: "http://code/t" } }), "http://code/t")
    assert.strictEqual(traces({ ...env, [signal]: "junk" }), "http://env/v1/traces")
  })

  it("turns user information into a header, below a stated one", () => {
    const { config, problems } = resolve({ [base]: "https://us%40er:p%3Aw@h/x" })
    assert.strictEqual(config.otlp.endpoint, "https://h/x")
    assert.strictEqual(config.otlp.tracesEndpoint, "https://h/x/v1/traces")
    assert.deepStrictEqual(plain(config.otlp.headers), { authorization: `Basic ${btoa("us@er:p:w")}` })
    assert.deepStrictEqual(problems, [])
    const stated = resolve({ [signal]: "https://u:p@h" }, { otlp: { headers: { Authorization: "Bearer x" } } })
    assert.deepStrictEqual(plain(stated.config.otlp.headers), { authorization: "Bearer x" })
    assert.strictEqual(stated.config.otlp.tracesEndpoint, "https://h/")
    const unused = resolve({ [signal]: "https://h", [base]: "https://u:p@other" })
    assert.deepStrictEqual(plain(unused.config.otlp.headers), {})
  })
})

describe("headers", () => {
  it("unite all statements by name, the strongest first", () => {
    const { config } = resolve({
      OTEL_EXPORTER_OTLP_HEADERS: "a=general,B=general,c=general",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "b=signal,C=signal,d=signal"
    }, { otlp: { headers: { C: Redacted.make("code"), E: " code " } } })
    assert.deepStrictEqual(plain(config.otlp.headers), {
      a: "general",
      b: "signal",
      c: "code",
      d: "signal",
      e: "code"
    })
  })

  it("that are valid survive those that are not", () => {
    const { config, problems } = resolve({ OTEL_EXPORTER_OTLP_HEADERS: "a=1,bad,b=2,c=%0a" })
    assert.deepStrictEqual(plain(config.otlp.headers), { a: "1", b: "2" })
    assert.deepStrictEqual(problems.map((problem) => problem.value), ["<redacted> (entry 2)", "<redacted> (entry 4)"])
  })

  it("are refused in code when they would break the request", () => {
    for (
      const [headers, path] of [
        [{ "a b": "x" }, "otlp.headers.a b"],
        [{ "": "x" }, "otlp.headers."],
        [{ a: "x\r\ny: z" }, "otlp.headers.a"],
        [{ a: Redacted.make("x\u0000") }, "otlp.headers.a"],
        [{ a: "\u20ac" }, "otlp.headers.a"],
        [{ a: 1 }, "otlp.headers.a"],
        [{ "Content-Type": "text/plain" }, "otlp.headers.Content-Type"]
      ] as const
    ) {
      assert.strictEqual(reject({ otlp: { headers } }).issues[0].path, path)
    }
  })
})

describe("client certificate", () => {
  it("needs its key, and the key it", () => {
    const half = resolve({ OTEL_EXPORTER_OTLP_CLIENT_KEY: "/k" })
    assert.strictEqual(half.config.otlp.clientKey, undefined)
    assert.deepStrictEqual(half.problems.map((problem) => problem.variable), ["OTEL_EXPORTER_OTLP_CLIENT_KEY"])
    const whole = resolve({ OTEL_EXPORTER_OTLP_CLIENT_KEY: "/k" }, { otlp: { clientCertificate: "/c" } })
    assert.strictEqual(whole.config.otlp.clientKey, "/k")
    assert.strictEqual(whole.config.otlp.clientCertificate, "/c")
    assert.deepStrictEqual(whole.problems, [])
  })
})

describe("options that cannot be taken", () => {
  it("are told all at once, each with path, value and what is allowed", () => {
    const error = reject({
      serviceName: "",
      batch: { maxQueueSize: 0, scheduleDelay: "soon" },
      otlp: { protocol: "grpc", endpoint: "localhost:4318" }
    })
    assert.strictEqual(error._tag, "TelemetryConfigError")
    assert.deepStrictEqual(error.issues.map(({ path, value }) => [path, value]), [
      ["serviceName", `""`],
      ["batch.maxQueueSize", "0"],
      ["batch.scheduleDelay", `"soon"`],
      ["otlp.protocol", `"grpc"`],
      ["otlp.endpoint", `"localhost:4318"`]
    ])
    for (const { allowed, path, value } of error.issues) {
      assert.include(error.message, `option ${path} is ${value}, expected ${allowed}`)
    }
  })

  it("include unknown ones, with the known", () => {
    const error = reject({ servicename: "x", otlp: { url: "x" } })
    assert.deepStrictEqual(error.issues.map(({ path }) => path), ["servicename", "otlp.url"])
    assert.include(error.issues[0].allowed, "serviceName")
    assert.include(error.issues[1]!.allowed, "tracesEndpoint")
    assert.strictEqual(reject({ constructor: 1 }).issues[0].path, "constructor")
  })

  it("include groups that are none", () => {
    assert.deepStrictEqual(reject({ otlp: "http://h" }).issues.map(({ path }) => path), ["otlp"])
    assert.deepStrictEqual(reject([]).issues.map(({ value }) => value), ["an array"])
    assert.strictEqual(reject({ batch: null }).issues[0].value, "null")
  })

  it("are not mended by the environment, and undefined is none", () => {
    const env = { OTEL_SERVICE_NAME: "env" }
    const result = TelemetryConfig.resolve({ options: { serviceName: "" }, env })
    assert.isTrue(Result.isFailure(result))
    assert.strictEqual(resolve(env, { serviceName: undefined, otlp: undefined }).config.serviceName, "env")
  })
})

describe("secrets", () => {
  const canary = "canary-5ecret"

  it("stay out of problems", () => {
    const { problems } = resolve({
      OTEL_EXPORTER_OTLP_HEADERS: `${canary},a=${canary}%zz,${canary} x=1,content-length=${canary}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: `ftp://user:${canary}@h/?key=${canary}`,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `user:${canary}@h`
    })
    assert.strictEqual(problems.length, 6)
    assert.notInclude(JSON.stringify(problems), canary)
  })

  it("stay out of errors", () => {
    const error = reject({
      otlp: {
        headers: { a: `${canary}\n`, b: Redacted.make(`${canary}\u0000`) },
        endpoint: `ftp://user:pa/${canary}@h?${canary}`,
        tracesEndpoint: new URL(`http://user:${canary}@h`)
      },
      serviceName: Redacted.make(canary)
    })
    assert.isAtLeast(error.issues.length, 4)
    assert.notInclude(JSON.stringify(error) + error.message + String(error), canary)
  })

  it("stay out of a printed configuration", () => {
    const { config } = resolve({
      OTEL_EXPORTER_OTLP_ENDPOINT: `https://u:${canary}@h`,
      OTEL_EXPORTER_OTLP_HEADERS: `a=${canary}`
    })
    assert.notInclude(JSON.stringify(config), canary)
    assert.strictEqual(plain(config.otlp.headers)["a"], canary)
  })

  it("and control characters do not reach a terminal", () => {
    const { problems } = resolve({ OTEL_LOG_LEVEL: "a\u001b[31m\u009b\n\u2028b" })
    assert.strictEqual(problems[0]!.value, `"a\\u001b[31m\\u009b\\u000a\\u2028b"`)
  })
})

describe("report", () => {
  it("writes each problem once, also two of one variable", () => {
    const lines: Array<string> = []
    const diagnostics = Diagnostics.make({ write: (line) => lines.push(line) })
    const { problems } = resolve({ OTEL_TRACES_EXPORTER: "zipkin,jaeger", OTEL_LOG_LEVEL: "loud" })
    TelemetryConfig.report(problems, diagnostics)
    assert.strictEqual(lines.length, 3)
    for (const [index, problem] of problems.entries()) {
      assert.strictEqual(lines[index], `effect-telemetry warn: ${problem.message}`)
    }
    assert.deepStrictEqual([...diagnostics.counts.keys()], [
      "config.OTEL_LOG_LEVEL",
      "config.OTEL_TRACES_EXPORTER",
      "config.OTEL_TRACES_EXPORTER.2"
    ])
  })
})

describe("TelemetryOptions", () => {
  it("is a Schema that takes what resolve takes", () => {
    const is = Schema.is(TelemetryConfig.TelemetryOptions)
    assert.isTrue(is({}))
    assert.isTrue(is({ otlp: { timeout: "1 second", headers: { a: "b" } }, sampler: "always_on" }))
    assert.isFalse(is({ otlp: { timeout: "soon" } }))
    assert.isFalse(is({ batch: { maxQueueSize: 0 } }))
  })
})
