import { assert, describe, it } from "@effect/vitest"
import * as TelemetryConfig from "../../src/TelemetryConfig.ts"
import { at, plain, resolve } from "./support.ts"

interface Case {
  readonly path: string
  /** Texts and what they become. */
  readonly valid: ReadonlyArray<readonly [raw: string, value: unknown]>
  /** Texts that are ignored, with exactly one problem each. */
  readonly junk: ReadonlyArray<string>
  /** Variables that must be set beside it. */
  readonly beside?: Readonly<Record<string, string>>
}

const notIntegers = [
  "abc",
  "1.5",
  "1e3",
  "0x10",
  "1_000",
  "12ms",
  "-1",
  "2147483648",
  "9".repeat(400),
  "NaN",
  "Infinity"
]
const positive = (path: string): Case => ({
  path,
  valid: [["1", 1], [" 77 ", 77], ["+7", 7], ["007", 7]],
  junk: [...notIntegers, "0"]
})
const natural = (path: string): Case => ({
  path,
  valid: [["0", 0], ["-0", 0], ["77", 77], ["2147483647", 2147483647]],
  junk: notIntegers
})
const delay = natural
const timeout = (path: string): Case => ({
  path,
  valid: [["0", Infinity], ["-0", Infinity], ["1", 1], ["2147483647", 2147483647]],
  junk: notIntegers
})
const text = (path: string): Case => ({ path, valid: [["a", "a"], [" b c ", "b c"]], junk: [] })
const url = (path: string): Case => ({
  path,
  valid: [["HTTP://Collector:80/a?b=c", "http://collector/a?b=c"], ["https://h:443", "https://h/"], [
    "http://[::1]:1/x",
    "http://[::1]:1/x"
  ]],
  junk: [
    "localhost:4318",
    "collector",
    "ftp://h",
    "file:///etc/passwd",
    "http://",
    "http:h",
    "//h",
    "http://h:99999",
    "javascript:0"
  ]
})
const path = (path: string, beside?: Record<string, string>): Case => ({
  path,
  valid: [["/etc/ca.pem", "/etc/ca.pem"], ["C:\\ca.pem", "C:\\ca.pem"]],
  junk: [],
  ...(beside === undefined ? {} : { beside })
})
const headers: Case = {
  path: "otlp.headers",
  valid: [
    ["a=b", { a: "b" }],
    [" API-Key = s%20e%2Cc , x= ", { "api-key": "s e,c", x: "" }],
    ["authorization=Basic YTpi==", { authorization: "Basic YTpi==" }],
    ["a=1,,A=2,", { a: "2" }],
    ["a=b;c=d", { a: "b;c=d" }],
    ["__proto__=x", JSON.parse(`{"__proto__":"x"}`)]
  ],
  junk: [
    "novalue",
    "=v",
    "a b=c",
    "a=%zz",
    "a=%0d%0ax: y",
    "a=b%00",
    "a=%E2%82%AC",
    "é=x",
    "a%3A=b",
    "content-length=0",
    "Transfer-Encoding=chunked"
  ]
}
const parent = (root: unknown) => ({ parentBased: { root } })

const cases: Readonly<Record<string, Case>> = {
  OTEL_SDK_DISABLED: {
    path: "disabled",
    valid: [["true", true], ["TRUE", true], ["tRue", true], ["false", false], ["FALSE", false]],
    junk: ["1", "yes", "on", "truely", "0", "no"]
  },
  OTEL_SERVICE_NAME: text("serviceName"),
  OTEL_SERVICE_VERSION: text("serviceVersion"),
  OTEL_RESOURCE_ATTRIBUTES: {
    path: "resource.attributes",
    valid: [
      ["a=b", { a: "b" }],
      [" a = b , c.d=%2C%3D%20 , e=", { a: "b", "c.d": ",= ", e: "" }],
      ["a%3D=1,a=2,a=3,", { "a=": "1", a: "3" }]
    ],
    junk: ["a", "a=b,c", "a=b=c", "=b", "a=%", "a=b,c=%ff", "a=b,=", "%=b"]
  },
  OTEL_NODE_RESOURCE_DETECTORS: {
    path: "detectors",
    valid: [
      ["all", ["host", "process", "serviceinstance"]],
      ["none", []],
      ["HOST, host", ["host"]],
      ["service,process", ["serviceinstance", "process"]],
      ["env", []],
      ["env,host", ["host"]]
    ],
    junk: ["aws", "hosts"]
  },
  OTEL_LOG_LEVEL: {
    path: "logLevel",
    valid: [["none", "none"], ["ERROR", "error"], ["Warn", "warn"], ["info", "info"], ["debug", "debug"], [
      "verbose",
      "debug"
    ], ["ALL", "debug"]],
    junk: ["loud", "3", "__proto__"]
  },
  OTEL_PROPAGATORS: {
    path: "propagators",
    valid: [
      ["tracecontext", ["tracecontext"]],
      ["Baggage,baggage, traceContext", ["baggage", "tracecontext"]],
      ["b3", ["b3"]],
      ["B3Multi,jaeger,b3", ["b3multi", "jaeger", "b3"]],
      ["none", []],
      ["None,none", []]
    ],
    junk: ["xray", "ottrace", "trace context", "all"]
  },
  OTEL_TRACES_SAMPLER: {
    path: "sampler",
    valid: [
      ["always_on", "always_on"],
      ["Always_Off", "always_off"],
      ["traceidratio", { traceIdRatio: 1 }],
      ["parentbased_always_on", parent("always_on")],
      ["parentbased_always_off", parent("always_off")],
      ["PARENTBASED_TRACEIDRATIO", parent({ traceIdRatio: 1 })],
      ["jaeger_remote", { jaegerRemote: {} }],
      ["ParentBased_Jaeger_Remote", parent({ jaegerRemote: {} })]
    ],
    junk: ["jaeger", "xray", "parentbased_xray", "parentbased_", "alwayson"]
  },
  OTEL_TRACES_SAMPLER_ARG: {
    path: "sampler",
    beside: { OTEL_TRACES_SAMPLER: "traceidratio" },
    valid: [["0", { traceIdRatio: 0 }], ["0.25", { traceIdRatio: 0.25 }], [".5", { traceIdRatio: 0.5 }], ["1.", {
      traceIdRatio: 1
    }], ["1e-3", { traceIdRatio: 0.001 }]],
    junk: ["1.01", "-0.1", "half", "50%", "0x1", "NaN", "Infinity", "."]
  },
  OTEL_TRACES_EXPORTER: {
    path: "tracesExporters",
    valid: [
      ["otlp", ["otlp"]],
      ["OTLP, Console,otlp", ["otlp", "console"]],
      ["otlp/stdout", ["otlp/stdout"]],
      ["none", []]
    ],
    junk: ["zipkin", "logging", "otlp;console"]
  },
  OTEL_BSP_MAX_QUEUE_SIZE: positive("batch.maxQueueSize"),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: positive("batch.maxExportBatchSize"),
  OTEL_BSP_SCHEDULE_DELAY: delay("batch.scheduleDelay"),
  OTEL_BSP_EXPORT_TIMEOUT: timeout("batch.exportTimeout"),
  OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: natural("spanLimits.attributeCountLimit"),
  OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: natural("spanLimits.attributeValueLengthLimit"),
  OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: natural("spanLimits.attributeValueLengthLimit"),
  OTEL_SPAN_EVENT_COUNT_LIMIT: natural("spanLimits.eventCountLimit"),
  OTEL_SPAN_LINK_COUNT_LIMIT: natural("spanLimits.linkCountLimit"),
  OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: natural("spanLimits.attributePerEventCountLimit"),
  OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: natural("spanLimits.attributePerLinkCountLimit"),
  OTEL_EXPORTER_OTLP_ENDPOINT: url("otlp.endpoint"),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url("otlp.tracesEndpoint"),
  OTEL_EXPORTER_OTLP_HEADERS: headers,
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: headers,
  OTEL_EXPORTER_OTLP_CERTIFICATE: path("otlp.certificate"),
  OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: path("otlp.certificate"),
  OTEL_EXPORTER_OTLP_CLIENT_KEY: path("otlp.clientKey", { OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: "/c" }),
  OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: path("otlp.clientKey", { OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: "/c" }),
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: path("otlp.clientCertificate", { OTEL_EXPORTER_OTLP_CLIENT_KEY: "/k" }),
  OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE: path("otlp.clientCertificate", { OTEL_EXPORTER_OTLP_CLIENT_KEY: "/k" })
}

const pairs: Readonly<Record<string, Case>> = Object.fromEntries(["", "TRACES_"].flatMap((signal) => [
  [`OTEL_EXPORTER_OTLP_${signal}TIMEOUT`, timeout("otlp.timeout")],
  [`OTEL_EXPORTER_OTLP_${signal}COMPRESSION`, {
    path: "otlp.compression",
    valid: [["gzip", "gzip"], ["GZip", "gzip"], ["none", "none"]],
    junk: ["zstd", "true", "gzip,none"]
  }],
  [`OTEL_EXPORTER_OTLP_${signal}PROTOCOL`, {
    path: "otlp.protocol",
    valid: [["http/json", "http/json"], ["HTTP/Protobuf", "http/protobuf"]],
    junk: ["grpc", "GRPC", "http", "json"]
  }]
]))

// One variable for three options: a case of its own, below.
const shared = "OTEL_ATTRIBUTE_COUNT_LIMIT"
const unread = ["OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE"]

const all: Readonly<Record<string, Case>> = { ...cases, ...pairs }

const valueAt = (config: TelemetryConfig.TelemetryConfig, path: string): unknown =>
  path === "otlp.headers" ? plain(config.otlp.headers) : { value: at(config, path) }
const expected = (path: string, value: unknown): unknown => path === "otlp.headers" ? value : { value }

describe("every variable", () => {
  it("has a case here", () => {
    assert.sameMembers([...Object.keys(all), shared, ...unread], [...TelemetryConfig.variables])
  })

  for (const [variable, { beside = {}, junk, path, valid }] of Object.entries(all)) {
    describe(variable, () => {
      const fallback = resolve(beside)

      it("is taken", () => {
        for (const [raw, value] of valid) {
          const { config, problems } = resolve({ ...beside, [variable]: raw })
          assert.deepStrictEqual(valueAt(config, path), expected(path, value), raw)
          assert.deepStrictEqual(problems, [], raw)
        }
      })

      it("counts as unset when blank", () => {
        for (const raw of ["", " ", "\t\n "]) {
          const { config, problems } = resolve({ ...beside, [variable]: raw })
          assert.deepStrictEqual(valueAt(config, path), valueAt(fallback.config, path))
          assert.deepStrictEqual(problems, fallback.problems)
        }
      })

      it("is ignored and told once when it cannot be taken", () => {
        for (const raw of junk) {
          const { config, problems } = resolve({ ...beside, [variable]: raw })
          assert.deepStrictEqual(valueAt(config, path), valueAt(fallback.config, path), raw)
          assert.strictEqual(problems.length, 1, raw)
          const [problem] = problems
          assert.strictEqual(problem!.path, path)
          assert.strictEqual(problem!.variable, variable)
          assert.notStrictEqual(problem!.allowed, "")
          for (const part of [variable, problem!.value, problem!.allowed]) assert.include(problem!.message, part)
          if (path === "otlp.headers") assert.strictEqual(problem!.value, "<redacted> (entry 1)")
          else if (raw.length < 100) assert.include(problem!.value, raw)
        }
      })

      it("yields to the option", () => {
        const [first] = valid
        const option = TelemetryConfig.table.find((row) => row.path === path)!
        const given: Record<string, unknown> = {
          disabled: true,
          detectors: ["host"],
          logLevel: "error",
          propagators: ["baggage"],
          sampler: { traceIdRatio: 0.5 },
          tracesExporters: ["console"],
          "otlp.compression": "gzip",
          "otlp.protocol": "http/json",
          "otlp.endpoint": "http://given/",
          "otlp.tracesEndpoint": "http://given/t"
        }
        if (path === "otlp.headers" || path === "resource.attributes") return // United: tested on their own.
        const value = given[path] ?? (option.unit === "" ? "given" : 9)
        const [group, name] = path.split(".") as [string, string | undefined]
        const options = name === undefined ? { [group]: value } : { [group]: { [name]: value } }
        for (const raw of [first![0], ...junk]) {
          const { config, problems } = resolve({ ...beside, [variable]: raw }, options)
          assert.deepStrictEqual(at(config, path), value, raw)
          assert.deepStrictEqual(problems, [], raw)
        }
      })
    })
  }

  it("OTEL_ATTRIBUTE_COUNT_LIMIT stands in for three limits, each of which wins over it", () => {
    const limits = resolve({ [shared]: "5", OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: "6" }).config.spanLimits
    assert.strictEqual(limits.attributeCountLimit, 5)
    assert.strictEqual(limits.attributePerEventCountLimit, 6)
    assert.strictEqual(limits.attributePerLinkCountLimit, 5)
    assert.strictEqual(resolve({ [shared]: "" }).config.spanLimits.attributeCountLimit, 128)
  })

  it("a configuration file is not read, and that is told", () => {
    for (const variable of unread) {
      const { problems } = resolve({ [variable]: "/etc/otel.yaml" })
      assert.deepStrictEqual(problems.map((problem) => problem.variable), [variable])
      assert.include(problems[0]!.message, "not supported")
    }
  })
})
