import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import * as Console from "../../src/exporters/ConsoleSpanExporter.ts"
import * as SpanExporter from "../../src/exporters/SpanExporter.ts"
import { lineWriter } from "../../src/internal/lineWriter.ts"
import { capabilities } from "../../src/internal/terminal.ts"
import { type Fields, readable } from "./spans.ts"

const environment = (env: Record<string, string>) =>
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

const send = (exporter: SpanExporter.SpanExporterShape, ...spans: ReadonlyArray<Fields>) => {
  const batch = exporter.makeBatch()
  for (const fields of spans) assert.isTrue(batch.add(readable(fields), Infinity))
  assert.strictEqual(batch.count, spans.length)
  return Effect.map(exporter.export(batch), (result) => assert.deepStrictEqual(result, { exported: spans.length }))
}

const setup = (options?: Console.Options) => {
  const written: Array<string> = []
  return Effect.map(
    Console.make({ unicode: true, color: false, write: (text) => void written.push(text), ...options }),
    (exporter) => ({ exporter, written, send: (...spans: ReadonlyArray<Fields>) => send(exporter, ...spans) })
  )
}

describe("ConsoleSpanExporter", () => {
  describe("tree", () => {
    it.effect("waits for the local root and 150 quiet milliseconds", () =>
      Effect.gen(function*() {
        const { send, written } = yield* setup({ format: "tree" })
        yield* send({ id: 2, parent: 1, name: "child" })
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(written, [])
        yield* send({ id: 1, name: "root", end: 5 })
        yield* TestClock.adjust("149 millis")
        yield* send({ id: 3, parent: 1, name: "late child" })
        yield* TestClock.adjust("149 millis")
        assert.deepStrictEqual(written, [])
        yield* TestClock.adjust("1 millis")
        assert.lengthOf(written, 1)
        assert.match(written[0]!, /^root {2}api {2}5\.00ms {2}3 spans\n/)
        assert.include(written[0]!, "├─ child")
        assert.include(written[0]!, "└─ late child")
      }))

    it.effect("keeps traces apart and shows each when it is due", () =>
      Effect.gen(function*() {
        const { send, written } = yield* setup({ format: "tree" })
        yield* send({ trace: 1, id: 2, parent: 1, name: "open" }, { trace: 2, id: 1, name: "second" })
        yield* TestClock.adjust("100 millis")
        yield* send({ trace: 3, id: 1, remote: true, parent: 9, name: "third" })
        yield* TestClock.adjust("50 millis")
        assert.deepStrictEqual(written.map((text) => text.split(" ")[0]), ["second"])
        yield* TestClock.adjust("100 millis")
        assert.deepStrictEqual(written.map((text) => text.split(" ")[0]), ["second", "third"])
        yield* TestClock.adjust("30 seconds")
        assert.lengthOf(written, 3)
        assert.include(written[2]!.split("\n")[0], "(incomplete)")
      }))

    it.effect("shows what comes after as late", () =>
      Effect.gen(function*() {
        const { send, written } = yield* setup({ format: "tree" })
        yield* send({ id: 1, name: "root" })
        yield* TestClock.adjust("150 millis")
        yield* send({ id: 2, parent: 1, name: "daemon" })
        yield* TestClock.adjust("150 millis")
        assert.lengthOf(written, 2)
        assert.include(written[1]!, "(late)")
        assert.include(written[1]!, "missing parent 0000000000000001")
      }))

    it.effect("writes what it holds when the scope closes, and at once from then on", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const { send, written } = yield* setup({ format: "tree" }).pipe(Scope.provide(scope))
        yield* send({ trace: 1, id: 1, name: "whole" }, { trace: 2, id: 2, parent: 1, name: "part" })
        yield* Scope.close(scope, Exit.void)
        assert.lengthOf(written, 2)
        assert.notInclude(written[0]!, "incomplete")
        assert.include(written[1]!, "(incomplete)")
        yield* send({ trace: 3, id: 1, name: "after" })
        assert.lengthOf(written, 3)
      }))

    it.effect("holds no more traces and spans than it may", () =>
      Effect.gen(function*() {
        const { send, written } = yield* setup({ format: "tree", maxTraces: 2, maxSpans: 4 })
        yield* send({ trace: 1, id: 2, parent: 1 }, { trace: 2, id: 2, parent: 1 })
        assert.lengthOf(written, 0)
        yield* send({ trace: 3, id: 2, parent: 1 })
        assert.lengthOf(written, 1)
        assert.include(written[0]!, "trace 00000000000000000000000000000001")
        yield* send({ trace: 3, id: 3, parent: 2 }, { trace: 3, id: 4, parent: 2 }, { trace: 3, id: 5, parent: 2 })
        assert.lengthOf(written, 2)
        assert.include(written[1]!, "trace 00000000000000000000000000000002")
      }))

    it.effect("follows width, colour, letters, attributes and link", () =>
      Effect.gen(function*() {
        const { send, written } = yield* setup({
          format: "tree",
          color: true,
          unicode: false,
          width: 50,
          attributes: ["shown"],
          traceUrl: (id) => `http://x/${id.slice(-1)}`
        })
        yield* send({ id: 1, name: "root" }, {
          id: 2,
          parent: 1,
          name: "child",
          attributes: { shown: 1, "http.route": "/" }
        })
        yield* TestClock.adjust("150 millis")
        assert.include(written[0]!, "\u001b[1mroot")
        assert.include(written[0]!, "`- ")
        assert.include(written[0]!, "shown=1")
        assert.notInclude(written[0]!, "http.route")
        assert.include(written[0]!, "http://x/1")
        assert.notInclude(written[0]!, "#")
      }))
  })

  describe("line", () => {
    it.effect("is the default away from a terminal: one line for each trace", () =>
      Effect.gen(function*() {
        const { send, written } = yield* setup()
        yield* send(
          { id: 1, name: "POST /orders\n", end: 35.6, status: "ERROR", message: "timeout" },
          { id: 2, parent: 1, name: "cache.get", start: 1, end: 12, status: "ERROR", message: "timeout" },
          { trace: 2, id: 2, parent: 1, name: "part", service: "" }
        )
        yield* TestClock.adjust("31 seconds")
        assert.deepStrictEqual(written, [
          "2026-11-22T10:00:00.000Z ✗ POST /orders\\n  api  35.6ms  2 spans  2 errors  timeout (cache.get)" +
          "  trace=00000000000000000000000000000001",
          "2026-11-22T10:00:00.000Z part  1.00ms  1 span  trace=00000000000000000000000000000002  (incomplete)"
        ])
      }))
  })

  describe("span", () => {
    it.effect("writes each span as it comes, with its attributes", () =>
      Effect.gen(function*() {
        const { send, written } = yield* setup({ format: "span" })
        yield* send(
          {
            id: 2,
            parent: 1,
            name: "db.query",
            kind: "CLIENT",
            start: 1500,
            end: 1501,
            status: "ERROR",
            message: "no",
            attributes: { a: 1, b: "x y", c: "z", d: [1n, "\u001b"], e: null, f: new Uint8Array(3), "g\n": true }
          }
        )
        assert.deepStrictEqual(written, [
          "2026-11-22T10:00:01.500Z ✗ db.query  api  CLIENT  1.00ms  no  a=1  b=\"x y\"  c=z  d=[1,\"\\u001b\"]  e=null" +
          "  f=<3 bytes>  g\\n=true  trace=00000000000000000000000000000001 span=0000000000000002 parent=0000000000000001"
        ])
      }))
  })

  describe("json", () => {
    it.effect("writes each span as an OTLP request on one line", () =>
      Effect.gen(function*() {
        const { send, written } = yield* setup({ format: "json" })
        yield* send({ id: 1, name: "a\nb" }, { id: 2, parent: 1, name: "c" })
        const lines = written.join("\n").split("\n")
        assert.lengthOf(lines, 2)
        const requests = lines.map((line) => JSON.parse(line))
        const spans = requests.map((request) => request.resourceSpans[0].scopeSpans[0].spans)
        assert.deepStrictEqual(spans.map((list) => list.map((span: { name: string }) => span.name)), [["a\nb"], ["c"]])
        assert.strictEqual(spans[1]![0].parentSpanId, "0000000000000001")
        assert.strictEqual(requests[0].resourceSpans[0].resource.attributes[0].key, "service.name")
      }))

    it.effect("bounds its batch by bytes", () =>
      Effect.gen(function*() {
        const { exporter } = yield* setup({ format: "json" })
        const batch = exporter.makeBatch()
        assert.isTrue(batch.add(readable(), Infinity))
        const one = batch.bytes
        assert.isFalse(batch.add(readable(), one * 2 - 1))
        assert.strictEqual(batch.bytes, one)
        assert.isTrue(batch.add(readable(), one * 2))
        assert.strictEqual(batch.count, 2)
      }))
  })

  it.effect("survives a stream that cannot be written to, and says so", () =>
    Effect.gen(function*() {
      const diagnostics = Diagnostics.make({ write: () => {} })
      const exporter = yield* Console.make({
        format: "span",
        write: () => {
          throw new Error("EPIPE")
        }
      }).pipe(Effect.provideService(Diagnostics.Diagnostics, diagnostics))
      yield* send(exporter, { id: 1 }, { id: 2 })
      assert.strictEqual(diagnostics.counts.get("exporter.console"), 2)
    }))

  describe("on a real stream", () => {
    const start = (format: string) => {
      const program = fileURLToPath(new URL("./consoleProgram.ts", import.meta.url))
      const child = spawn(process.execPath, [
        "--import",
        "tsx",
        "--conditions=effect-telemetry-source",
        program,
        format
      ])
      let errors = ""
      child.stderr.setEncoding("utf8").on("data", (text: string) => errors += text)
      child.stdout.setEncoding("utf8")
      const ended = new Promise<{ readonly code: number | null; readonly errors: string }>((resolve) =>
        child.on("close", (code) => resolve({ code, errors }))
      )
      return { child, ended }
    }

    it("writes lines", async () => {
      const { child, ended } = start("line")
      let output = ""
      child.stdout.on("data", (text: string) => output += text)
      assert.strictEqual((await ended).code, 0)
      assert.lengthOf(output.split("\n"), 201)
    })

    for (const format of ["json", "line"]) {
      it(`leaves the program alone when the reader of ${format} goes away`, async () => {
        const { child, ended } = start(format)
        child.stdout.once("data", () => child.stdout.destroy())
        const { code, errors } = await ended
        assert.include(errors, "at the end")
        assert.notInclude(errors, "EPIPE")
        assert.strictEqual(code, 0)
        assert.include(errors, "the console exporter cannot write")
      })
    }
  })

  it.effect("is a layer of the exporter service", () =>
    Effect.gen(function*() {
      const written: Array<string> = []
      yield* Effect.gen(function*() {
        yield* send(yield* SpanExporter.SpanExporter, { id: 1, name: "root" })
      }).pipe(Effect.provide(Console.layer({ write: (text) => void written.push(text) })))
      assert.lengthOf(written, 1)
    }))

  it("falls back to the console where there is no stream to write to", () => {
    const { console: host, process: node } = globalThis
    const written: Array<string> = []
    const note = (name: string) => (text: string) => void written.push(`${name}: ${text}`)
    Object.assign(globalThis, { process: undefined, console: { log: note("log"), error: note("error") } })
    try {
      lineWriter("stdout", () => {})("a")
      lineWriter("stderr", () => {})("b")
    } finally {
      Object.assign(globalThis, { process: node, console: host })
    }
    assert.deepStrictEqual(written, ["log: a", "error: b"])
  })

  describe("capabilities", () => {
    const color = (env: Record<string, string>, isTty: boolean) =>
      Effect.map(capabilities(isTty), (found) => found.color).pipe(environment(env))

    it.effect("follow NO_COLOR, FORCE_COLOR, TERM=dumb and the terminal", () =>
      Effect.gen(function*() {
        assert.isTrue(yield* color({}, true))
        assert.isFalse(yield* color({}, false))
        assert.isFalse(yield* color({ NO_COLOR: "1" }, true))
        assert.isTrue(yield* color({ NO_COLOR: "" }, true))
        assert.isTrue(yield* color({ FORCE_COLOR: "1" }, false))
        assert.isTrue(yield* color({ FORCE_COLOR: "true" }, false))
        assert.isFalse(yield* color({ FORCE_COLOR: "0" }, false))
        assert.isFalse(yield* color({ FORCE_COLOR: "False" }, false))
        assert.isTrue(yield* color({ FORCE_COLOR: "0" }, true))
        assert.isFalse(yield* color({ NO_COLOR: "1", FORCE_COLOR: "1" }, true))
        assert.isFalse(yield* color({ TERM: "dumb", FORCE_COLOR: "1" }, true))
      }))

    it.effect("know ASCII by the locale", () =>
      Effect.gen(function*() {
        const unicode = (env: Record<string, string>) =>
          Effect.map(capabilities(true), (found) => found.unicode).pipe(environment(env))
        if (process.platform === "win32") return
        assert.isTrue(yield* unicode({}))
        assert.isTrue(yield* unicode({ LANG: "en_US.UTF-8" }))
        assert.isTrue(yield* unicode({ LC_CTYPE: "C.utf8", LANG: "C" }))
        assert.isFalse(yield* unicode({ LC_ALL: "C", LANG: "en_US.UTF-8" }))
        assert.isFalse(yield* unicode({ LANG: "POSIX" }))
        assert.isFalse(yield* unicode({ TERM: "linux", LANG: "en_US.UTF-8" }))
      }))
  })
})
