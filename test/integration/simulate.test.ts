/** `npm run simulate`, as a reader of the documents runs it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFile } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as FileSpanExporter from "../../src/exporters/FileSpanExporter.ts"
import type { SamplingConfig } from "../../src/sampling/SamplingConfig.ts"
import { TelemetryLayer } from "../../src/Telemetry.ts"
import * as IdGenerator from "../../src/tracing/IdGenerator.ts"
import * as Trace from "../../src/tracing/Trace.ts"
import { goalOf, picture } from "../../scripts/simulate/report.ts"
import { temporary } from "./programs.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const main = join(root, "scripts/simulate/main.ts")

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

const simulate = (...args: ReadonlyArray<string>): Effect.Effect<Ran> =>
  Effect.promise(() =>
    new Promise((resolve) =>
      execFile(
        process.execPath,
        ["--import", "tsx", "--conditions=effect-telemetry-source", main, ...args],
        { cwd: root, maxBuffer: 64 * 1024 * 1024 },
        (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err })
      )
    )
  )

interface Figures {
  readonly traces: { readonly seen: number; readonly kept: number }
  readonly spans: { readonly seen: number; readonly kept: number }
  readonly groups: ReadonlyArray<
    { readonly name: string; readonly seen: number; readonly kept: number; estimate: number; variance: number }
  >
  readonly rules: ReadonlyArray<{ readonly stage: string; readonly ruleId?: string; seen: number; kept: number }>
  readonly worst: { readonly kept: number }
}

const configured = Effect.fnUntraced(function*(config: unknown) {
  const path = join(yield* temporary, "sampling.json")
  writeFileSync(path, typeof config === "string" ? config : JSON.stringify(config))
  return path
})

const tenth: SamplingConfig = { version: "tenth", head: { parentBased: { root: { traceIdRatio: 0.1 } } } }

describe("the picture of a rate", () => {
  it("has a step for each level, and shows the highest of what shares a column", () => {
    assert.strictEqual(picture([1, 2, 3, 4, 5, 6, 7, 8], 8, true), "▂▃▄▅▆▇██")
    assert.strictEqual(picture([0, 4, 8], 3, false), " +@")
    assert.strictEqual(picture([1, 8, 1, 1, 4, 1], 3, false), "@:+")
    assert.strictEqual(picture([0, 0], 60, false), "  ")
  })

  it("is beside the goal that the configuration states, where it states one", () => {
    assert.deepStrictEqual(goalOf({ head: { rateLimit: { tracesPerSecond: 5 } } }), { perSecond: 5, unit: "traces" })
    assert.deepStrictEqual(goalOf({ head: "always_on", tail: { rules: [], budget: { perSecond: 9 } } }), {
      perSecond: 9,
      unit: "spans"
    })
    assert.isUndefined(
      goalOf({ head: { anyOf: [{ rateLimit: { tracesPerSecond: 5 } }, { adaptive: { tracesPerSecond: 6 } }] } })
    )
    assert.isUndefined(goalOf(tenth))
  })
})

describe("npm run simulate", () => {
  it.live(
    "prints what would be kept, the error of the weights, and the rate, in ASCII where nobody watches",
    () =>
      Effect.gen(function*() {
        const path = yield* configured(tenth)
        const { code, err, out } = yield* simulate(
          "--config",
          path,
          "--shape",
          "burst",
          "--seconds",
          "60",
          "--rate",
          "100"
        )
        assert.deepStrictEqual([code, err], [0, ""])
        assert.include(out, `configuration  ${path}, version tenth`)
        assert.match(out, /^kept +[\d,]+ traces \(1?\d\.\d %\), [\d,]+ spans/m)
        assert.match(out, /^head +- +- +[\d,]+ +[\d,]+ +1?\d\.\d %$/m)
        assert.match(out, /^all traces +[\d,]+ +[\d,]+ +1?\d\.\d % +[\d,]+ +\+\/- [\d,]+ +-?\d\.\d %$/m)
        assert.match(out, /^traces \|[ .:=+*#@-]{60}\| at most \d/m)
        assert.match(out, /worst second \d+ \(the \d+\.\)$/m)
        assert.match(out, /^[\n\x20-\x7e]+$/)
      }),
    60_000
  )

  it.live("gives the same figures for the same seed, right ones, and others for another", () =>
    Effect.gen(function*() {
      const path = yield* configured(tenth)
      const run = (seed: string) =>
        Effect.map(
          simulate("--config", path, "--seconds", "30", "--seed", seed, "--json"),
          ({ out }) => JSON.parse(out) as Figures
        )
      const [first, again, other] = yield* Effect.all([run("7"), run("7"), run("8")], { concurrency: 2 })
      assert.deepStrictEqual(again, first)
      assert.notDeepEqual(other, first)
      const [all] = first!.groups
      assert.strictEqual(all!.seen, first!.traces.seen)
      assert.approximately(all!.seen, 200 * 30, 400)
      assert.approximately(all!.estimate, all!.seen, 2.58 * Math.sqrt(all!.variance))
      assert.strictEqual(first!.rules[0]!.kept, first!.traces.kept)
    }), 60_000)

  it.live(
    "runs the tail: errors are kept, the rest fits into the budget, and the counts stay right",
    () =>
      Effect.gen(function*() {
        const path = yield* configured({
          head: { alwaysRecord: "always_on" },
          tail: {
            rules: [{ id: "errors", when: { errorCount: { ge: 1 } }, weight: 20 }],
            budget: { perSecond: 50, unit: "traces" }
          }
        })
        const { out } = yield* simulate("--config", path, "--seconds", "30", "--errors", "0.02", "--json")
        const { groups, worst } = JSON.parse(out) as Figures
        const [all, errors] = groups
        assert.strictEqual(errors!.name, "with an error")
        assert.strictEqual(errors!.kept, errors!.seen)
        assert.isAtMost(worst.kept, 51)
        assert.approximately(all!.estimate, all!.seen, 2.58 * Math.sqrt(all!.variance))
      }),
    60_000
  )

  it.live("replays what the file exporter has written", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      const traffic = join(directory, "spans.jsonl")
      const failing = Trace.span(Effect.fail("no"), "charge", { kind: "client" })
      yield* Effect.forEach(
        Array.from({ length: 300 }, (_, i) => i),
        (i) =>
          Effect.exit(Trace.root(i % 10 === 0 ? failing : Effect.void, "POST /orders", {
            kind: "server",
            attributes: { "http.request.method": "POST", "url.path": "/orders" }
          })),
        { discard: true }
      ).pipe(
        Effect.provide(
          TelemetryLayer({ env: {}, detectors: ["none"], serviceName: "shop" }).pipe(
            Layer.provide(FileSpanExporter.layer({ path: traffic })),
            Layer.provide(Layer.succeed(IdGenerator.IdGenerator, IdGenerator.seeded(5)))
          )
        ),
        Effect.orDie
      )
      const path = yield* configured({
        head: {
          ruleBased: {
            rules: [{ id: "orders", when: { field: "request.path", eq: "/orders" }, sampler: { probability: 0.5 } }],
            otherwise: { parentBased: { root: "always_off" } }
          }
        }
      })
      const { code, err, out } = yield* simulate("--config", path, "--traffic", traffic, "--json")
      assert.deepStrictEqual([code, err], [0, ""])
      const { groups, rules, spans, traces } = JSON.parse(out) as Figures
      assert.deepStrictEqual([traces.seen, spans.seen], [300, 330])
      assert.strictEqual(groups.find(({ name }) => name === "with an error")!.seen, 30)
      assert.deepInclude(rules[0], { stage: "head", ruleId: "orders", seen: 300, kept: traces.kept })
      assert.approximately(groups[0]!.estimate, 300, 2.58 * Math.sqrt(groups[0]!.variance))
    }), 60_000)

  it.live("shows of a dry run what it would do", () =>
    Effect.gen(function*() {
      const run = (config: unknown) =>
        Effect.flatMap(configured(config), (path) => simulate("--config", path, "--seconds", "5"))
      const [dry, real] = [yield* run({ ...tenth, dryRun: true }), yield* run(tenth)]
      const rest = (text: string) => text.split("\n").slice(1).filter((line) => !line.startsWith("note")).join("\n")
      assert.include(dry.out, "note           it is a dry run; this is what it would do")
      assert.strictEqual(rest(dry.out), rest(real.out))
    }), 60_000)

  it.live("prints what the document says that it prints", () =>
    Effect.gen(function*() {
      const document = readFileSync(join(root, "docs/how-to/sampling.md"), "utf8")
      const [, args, config, text] = /^npm run simulate -- (.+)\n```\n[^]+?```json\n([^]+?)```[^]+?```text\n([^]+?)```/m
        .exec(document)!
      const path = yield* configured(config)
      const { out } = yield* simulate(...args!.replace("sampling.json", path).split(" "))
      assert.strictEqual(out.replace(path, "sampling.json"), text)
    }), 60_000)

  it.live("replays a service that others call under the parents that it had", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      const traffic = join(directory, "spans.jsonl")
      // Of each trace this service is called twice; every second trace was kept with a probability of a half before.
      const calls = Array.from({ length: 200 }, (_, i) => {
        const traceId = `${(i + 1).toString(16).padStart(18, "0")}${i % 2 === 0 ? "c" : "4"}0000000000000`
        return { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, tracestate: i % 2 === 0 ? "ot=th:8" : "" }
      })
      const call = Trace.span(Trace.span(Effect.void, "query"), "GET /stock", { kind: "server" })
      yield* Effect.forEach(calls, (headers) => Effect.repeat(Trace.withHeaders(call, headers), { times: 1 }), {
        discard: true
      }).pipe(
        Effect.provide(
          TelemetryLayer({ env: {}, detectors: ["none"], serviceName: "stock" }).pipe(
            Layer.provide(FileSpanExporter.layer({ path: traffic }))
          )
        ),
        Effect.orDie
      )
      const run = (head: SamplingConfig["head"]) =>
        Effect.gen(function*() {
          const { err, out } = yield* simulate("--config", yield* configured({ head }), "--traffic", traffic, "--json")
          assert.strictEqual(err, "")
          return JSON.parse(out) as Figures
        })
      // Follows what others decided, whatever it does with traces of its own; and knows the weight where they told it.
      const followed = yield* run({ parentBased: { root: "always_off" } })
      assert.deepStrictEqual(followed.traces, { seen: 400, kept: 400 })
      assert.strictEqual(followed.groups[0]!.estimate, 200 * 2 + 200)
      // Decides by itself: R of one half of them is above, and each stands for two.
      const own = yield* run({ probability: 0.5 })
      assert.deepStrictEqual(own.traces, { seen: 400, kept: 200 })
      assert.deepStrictEqual(own.spans, { seen: 800, kept: 400 })
    }), 60_000)

  it.live("says in one line what it cannot take", () =>
    Effect.gen(function*() {
      const bad = yield* configured({ head: { traceIdRatio: 2 } })
      const good = yield* configured(tenth)
      const lines = yield* Effect.forEach([
        [],
        ["--config", "nowhere.json"],
        ["--config", bad],
        ["--config", good, "--shape", "square"],
        ["--config", good, "--seconds", "soon"],
        ["--config", good, "--traffic", bad],
        ["--konfig", good]
      ], (args) =>
        simulate(...args), { concurrency: 2 })
      for (const { code, err, out } of lines) {
        assert.strictEqual(code, 1, err)
        assert.strictEqual(out, "")
        assert.match(err, /^simulate: [^\n]+\n$/)
      }
      assert.include(lines[0]!.err, "--config FILE is missing")
      assert.include(lines[1]!.err, "nowhere.json")
      assert.include(lines[2]!.err, "head.traceIdRatio is 2")
      assert.include(lines[3]!.err, "expected one of steady, burst")
      assert.include(lines[4]!.err, "--seconds is soon")
      assert.include(lines[6]!.err, "--konfig")
    }), 60_000)
})
