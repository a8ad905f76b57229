import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as TelemetryConfig from "../../src/TelemetryConfig.ts"
import { at, resolve } from "./support.ts"

// Texts that come close to being right, and any other.
const Text = Schema.Union([
  Schema.Literals([
    "",
    " ",
    "true",
    "none",
    "all",
    "otlp,console",
    "none,otlp",
    "baggage,x",
    "always_on",
    "parentbased_traceidratio",
    "0.5",
    "0",
    "1",
    "-1",
    "700",
    "2147483648",
    "a=b,c=%20",
    "a=%",
    "a=b=c",
    "authorization=x,content-length=1",
    "http://h",
    "https://u:p@h/x?y#z",
    "http://[::",
    "http://%",
    "grpc",
    "http/json",
    "gzip",
    "/etc/pem",
    "__proto__",
    "constructor",
    "\u0000",
    "%00%ff",
    "\ud800"
  ]),
  Schema.String
])

const Env = Schema.Struct(
  Object.fromEntries(TelemetryConfig.variables.map((variable) => [variable, Schema.optionalKey(Text)]))
)

const isConfig = Schema.is(TelemetryConfig.TelemetryConfig)

const groups = ["resource", "batch", "spanLimits", "otlp"]
const Leaf = Schema.Union([
  Text,
  Schema.Number,
  Schema.Boolean,
  Schema.Null,
  Schema.Array(Text),
  Schema.Record(Text, Schema.Union([Text, Schema.Number])),
  Schema.Struct({ traceIdRatio: Schema.Number }),
  Schema.Duration
])
const leaves = (paths: ReadonlyArray<string>) =>
  Schema.Struct(Object.fromEntries(paths.map((path) => [path, Schema.optionalKey(Leaf)])))
const paths = TelemetryConfig.table.map((row) => row.path)
const Options = Schema.Struct({
  ...leaves(paths.filter((path) => !path.includes("."))).fields,
  ...Object.fromEntries(groups.map((group) => [
    group,
    Schema.optionalKey(leaves(paths.filter((path) => path.startsWith(`${group}.`)).map((path) => path.split(".")[1]!)))
  ]))
})

describe("laws", () => {
  it.prop("any environment makes a whole configuration", [Env], ([env]) => {
    const { config, problems } = resolve(env as TelemetryConfig.Environment)
    assert.isTrue(isConfig(config))
    for (const { message, variable } of problems) {
      assert.isTrue(variable !== undefined && TelemetryConfig.variables.includes(variable))
      // eslint-disable-next-line no-control-regex
      assert.notMatch(message, /[\u0000-\u001f\u007f-\u009f]/)
      assert.isBelow(message.length, 600)
    }
  }, { arbitrary: { runs: 300 } })

  it.prop("the same environment makes the same configuration", [Env], ([env]) => {
    const once = resolve(env as TelemetryConfig.Environment)
    const twice = resolve(env as TelemetryConfig.Environment)
    assert.deepStrictEqual(JSON.stringify(once), JSON.stringify(twice))
  })

  it.prop("a variable with a problem might as well be unset", [Env], ([env]) => {
    const stated = env as Record<string, string>
    const first = resolve(stated)
    const ignored = new Set(
      first.problems.filter((problem) => problem.consequence === "is ignored").map((problem) => problem.variable!)
    )
    // Of lists and headers only a part is ignored, and a certificate for want of its key.
    const whole = [...ignored].filter((variable) =>
      !/HEADERS|PROPAGATORS|EXPORTER$|DETECTORS|CLIENT_/.test(variable) &&
      first.problems.filter((problem) => problem.variable === variable).length === 1
    )
    const without = resolve(Object.fromEntries(Object.entries(stated).filter(([name]) => !whole.includes(name))))
    assert.deepStrictEqual(JSON.stringify(without.config), JSON.stringify(first.config))
  })

  it.prop(
    "any options make a whole configuration or an error that names each path",
    [Options, Env],
    ([options, env]) => {
      const result = TelemetryConfig.resolve({ options: options as TelemetryConfig.TelemetryOptions, env: env as {} })
      if (Result.isSuccess(result)) {
        assert.isTrue(isConfig(result.success.config))
        assert.isTrue(Schema.is(TelemetryConfig.TelemetryOptions)(options))
      } else {
        assert.isAbove(result.failure.issues.length, 0)
        for (const { path } of result.failure.issues) {
          assert.isTrue(paths.some((known) => path === known || path.startsWith(`${known}.`)), path)
        }
      }
    },
    { arbitrary: { runs: 300 } }
  )

  const Given = Arbitrary.all({
    index: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: paths.length - 1 }))),
    leaf: Arbitrary.schema(Leaf),
    env: Arbitrary.schema(Env)
  })
  it.prop(
    "an option that is taken hides its variables, unless the two are united",
    [Given],
    ([{ env, index, leaf }]) => {
      const path = paths[index]!
      const united = ["otlp.headers", "otlpLogs.headers", "resource.attributes", "serviceName", "serviceVersion"]
      // These are looked at together with others.
      const together = [
        "batch.",
        "logBatch.",
        "otlp.endpoint",
        "otlp.tracesEndpoint",
        "otlp.client",
        "otlpLogs.endpoint",
        "otlpLogs.client"
      ]
      if (united.includes(path) || together.some((prefix) => path.startsWith(prefix))) return
      const [group, name] = path.split(".") as [string, string | undefined]
      const options = (name === undefined ? { [group]: leaf } : { [group]: { [name]: leaf } }) as object
      const alone = TelemetryConfig.resolve({ options, env: {} })
      const crowded = TelemetryConfig.resolve({ options, env: env as {} })
      assert.strictEqual(Result.isSuccess(alone), Result.isSuccess(crowded))
      if (Result.isFailure(alone) || Result.isFailure(crowded)) return
      assert.deepStrictEqual(at(crowded.success.config, path), at(alone.success.config, path))
      assert.deepStrictEqual(crowded.success.problems.filter((problem) => problem.path === path), [])
    },
    { arbitrary: { runs: 300 } }
  )
})
