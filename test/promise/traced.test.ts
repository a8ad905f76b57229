import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { InMemoryExporter, traced, Tracer } from "../../src/promise/index.ts"

const run = promisify(execFile)

describe("traced as a decorator", () => {
  it("of methods: plain, static, private, async, generators, inherited", async () => {
    const { stderr, stdout } = await run(process.execPath, [
      "--import",
      "tsx",
      "--conditions=effect-telemetry-source",
      fileURLToPath(new URL("decorated.ts", import.meta.url))
    ], { env: { ...process.env, NODE_OPTIONS: "" } })
    assert.strictEqual(stderr, "")
    const { results, spans } = JSON.parse(stdout) as {
      readonly results: ReadonlyArray<unknown>
      readonly spans: ReadonlyArray<Readonly<Record<string, unknown>>>
    }
    assert.deepStrictEqual(results, [
      "A1 in EUR, price",
      "less: B2 in EUR, price",
      "5 a-EUR by card",
      "less than nothing",
      [0, 1],
      ["0 EUR", "1 EUR"],
      "price",
      2
    ])
    const plain = (name: string) => ({ name, kind: "INTERNAL", status: "UNSET" })
    const payment = { name: "payment", kind: "CLIENT" }
    assert.deepStrictEqual(spans, [
      { ...plain("open"), branch: 7 },
      plain("price"),
      plain("price"),
      plain("price"),
      plain("#reference"),
      { ...payment, status: "UNSET", cents: 5, method: "card" },
      { ...payment, status: "ERROR", cents: -1 },
      plain("items"),
      { ...plain("pages"), to: 2 },
      plain("named"),
      plain("all")
    ])
  })

  it("takes a name, options, both or neither, as does a function", async () => {
    const exporter = new InMemoryExporter()
    const tracer = new Tracer("svc", { env: {}, detectors: ["none"], exporter })
    const any = tracer.traced as unknown as (
      ...all: ReadonlyArray<unknown>
    ) => (...all: ReadonlyArray<unknown>) => unknown
    const context = { kind: "method", name: "method", addInitializer() {} }
    const client = { kind: "client" }
    const named = (): number => 1
    for (const given of [[], ["name"], [client], [undefined, client], ["name", client], ["name", undefined]]) {
      assert.strictEqual((any(...given)(named, context) as () => number)(), 1)
      assert.strictEqual(any(...given, named)(), 1)
    }
    await tracer.shutdown()
    assert.deepStrictEqual(exporter.getSpans().map(({ kind, name }) => `${name} ${kind}`), [
      "method INTERNAL",
      "named INTERNAL",
      "name INTERNAL",
      "name INTERNAL",
      "method CLIENT",
      "named CLIENT",
      "method CLIENT",
      "named CLIENT",
      "name CLIENT",
      "name CLIENT",
      "name INTERNAL",
      "name INTERNAL"
    ])
  })

  it("of anything else says what to do", () => {
    const decorator = traced("x") as unknown as (value: unknown, context: unknown) => unknown
    for (const kind of ["field", "getter", "setter", "accessor", "class"]) {
      assert.throws(
        () => decorator(undefined, { kind, name: "total", addInitializer() {} }),
        TypeError,
        `traced decorates methods, and total is a ${kind}. Wrap the function itself: traced("total", fn).`
      )
    }
    assert.throws(() => decorator({}, "method"), TypeError, "`experimentalDecorators` must be off")
    const bare = traced as unknown as (value: unknown, context: unknown) => unknown
    assert.throws(() => bare(class {}, { kind: "class", name: "A", addInitializer() {} }), TypeError, "A is a class")
  })
})
