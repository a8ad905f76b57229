import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as os from "node:os"
import * as nodePath from "node:path"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import * as File from "../../src/exporters/FileSpanExporter.ts"
import * as SpanExporter from "../../src/exporters/SpanExporter.ts"
import { readable } from "./spans.ts"

const directory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(nodePath.join(os.tmpdir(), "effect-telemetry-file-"))),
  (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
)

const send = (exporter: SpanExporter.SpanExporterShape, ...names: ReadonlyArray<string>) => {
  const batch = exporter.makeBatch()
  for (const name of names) assert.isTrue(batch.add(readable({ name }), Infinity))
  return exporter.export(batch)
}

const lines = (path: string): Array<string> => {
  const text = fs.readFileSync(path, "utf8")
  assert.isTrue(text === "" || text.endsWith("\n"), "the file ends with a line feed")
  return text.split("\n").slice(0, -1)
}

const namesIn = (path: string): Array<Array<string>> =>
  lines(path).map((line) =>
    JSON.parse(line).resourceSpans.flatMap((resource: { scopeSpans: Array<{ spans: Array<{ name: string }> }> }) =>
      resource.scopeSpans.flatMap((scope) => scope.spans.map((span) => span.name))
    )
  )

describe("FileSpanExporter", () => {
  it.effect("appends each batch as one line of OTLP JSON", () =>
    Effect.gen(function*() {
      const path = nodePath.join(yield* directory, "spans.jsonl")
      const exporter = yield* File.make({ path })
      assert.deepStrictEqual(yield* send(exporter, "a\nb", "c"), { exported: 2 })
      assert.deepStrictEqual(yield* send(exporter, "d"), { exported: 1 })
      assert.deepStrictEqual(yield* send(exporter), { exported: 0 })
      assert.deepStrictEqual(namesIn(path), [["a\nb", "c"], ["d"]])
    }))

  it.effect("makes the file for its owner only, and leaves the mode of one that exists", () =>
    Effect.gen(function*() {
      const at = yield* directory
      const made = nodePath.join(at, "made.jsonl")
      yield* File.make({ path: made })
      assert.strictEqual(fs.statSync(made).mode & 0o777, 0o600)
      const shared = nodePath.join(at, "shared.jsonl")
      fs.writeFileSync(shared, "{}\n")
      fs.chmodSync(shared, 0o640)
      yield* send(yield* File.make({ path: shared }), "a")
      assert.strictEqual(fs.statSync(shared).mode & 0o777, 0o640)
      assert.deepStrictEqual(lines(shared)[0], "{}")
      assert.lengthOf(lines(shared), 2)
    }))

  it.effect("ends the last line of a run that was cut off", () =>
    Effect.gen(function*() {
      const path = nodePath.join(yield* directory, "spans.jsonl")
      fs.writeFileSync(path, "{\"resourceSpans\":[")
      yield* send(yield* File.make({ path }), "a")
      assert.strictEqual(lines(path)[0], "{\"resourceSpans\":[")
      assert.include(lines(path)[1]!, "\"a\"")
    }))

  it.effect("fails at once, with what is wrong, where the path is", () =>
    Effect.gen(function*() {
      const at = yield* directory
      const missing = nodePath.join(at, "no", "spans.jsonl")
      const error = yield* Effect.flip(File.make({ path: missing }))
      assert.strictEqual(error._tag, "FileSpanExporterError")
      assert.strictEqual(error.message, `cannot write spans to ${missing}: the directory does not exist (ENOENT)`)
      assert.isFalse(fs.existsSync(nodePath.dirname(missing)))
      assert.include((yield* Effect.flip(File.make({ path: at }))).message, "EISDIR")
      const bad = yield* Effect.flip(File.make({ path: nodePath.join(at, "x"), maxBytes: 0 }))
      assert.include(bad.message, "maxBytes is 0, it must be 1 or more")
      assert.include(
        (yield* Effect.flip(File.make({ path: nodePath.join(at, "x"), maxFiles: NaN }))).message,
        "maxFiles"
      )
    }))

  it.effect("rotates by size and keeps so many files", () =>
    Effect.gen(function*() {
      const path = nodePath.join(yield* directory, "spans.jsonl")
      const exporter = yield* File.make({ path, maxBytes: 1, maxFiles: 3 })
      for (const name of ["a", "b", "c", "d", "e"]) yield* send(exporter, name)
      assert.deepStrictEqual(namesIn(path), [["e"]])
      assert.deepStrictEqual(namesIn(`${path}.1`), [["d"]])
      assert.deepStrictEqual(namesIn(`${path}.2`), [["c"]])
      assert.isFalse(fs.existsSync(`${path}.3`))
      assert.strictEqual(fs.statSync(path).mode & 0o777, 0o600)
    }))

  it.effect("fills a file before it rotates, what earlier runs wrote included", () =>
    Effect.gen(function*() {
      const path = nodePath.join(yield* directory, "spans.jsonl")
      yield* Effect.scoped(Effect.flatMap(File.make({ path }), (exporter) => send(exporter, "a")))
      const one = fs.statSync(path).size
      const exporter = yield* File.make({ path, maxBytes: 2 * one })
      yield* send(exporter, "b")
      assert.isFalse(fs.existsSync(`${path}.1`))
      yield* send(exporter, "c")
      assert.deepStrictEqual(namesIn(`${path}.1`), [["a"], ["b"]])
      assert.deepStrictEqual(namesIn(path), [["c"]])
    }))

  it.effect("starts over in the one file it may keep", () =>
    Effect.gen(function*() {
      const at = yield* directory
      const path = nodePath.join(at, "spans.jsonl")
      const exporter = yield* File.make({ path, maxBytes: 1, maxFiles: 1 })
      for (const name of ["a", "b"]) yield* send(exporter, name)
      assert.deepStrictEqual(namesIn(path), [["b"]])
      assert.deepStrictEqual(fs.readdirSync(at), ["spans.jsonl"])
    }))

  it.effect("books a failing disk, says so once, and tries again with the next batch", () =>
    Effect.gen(function*() {
      const at = yield* directory
      const folder = nodePath.join(at, "logs")
      fs.mkdirSync(folder)
      const path = nodePath.join(folder, "spans.jsonl")
      const written: Array<string> = []
      const diagnostics = Diagnostics.make({ write: (line) => written.push(line) })
      const exporter = yield* File.make({ path, maxBytes: 1 }).pipe(
        Effect.provideService(Diagnostics.Diagnostics, diagnostics)
      )
      yield* send(exporter, "a")
      // Rotation finds its directory gone.
      fs.rmSync(folder, { recursive: true })
      for (let i = 0; i < 2; i++) {
        const error = yield* Effect.flip(send(exporter, "lost"))
        assert.strictEqual(error.reason, "disk_error")
        assert.strictEqual(error.message, "file: the directory does not exist (ENOENT) (disk_error)")
      }
      assert.lengthOf(written, 1)
      assert.include(written[0]!, `file exporter: ${path}: the directory does not exist (ENOENT); 1 spans are lost`)
      assert.strictEqual(diagnostics.counts.get("exporter.file"), 2)
      fs.mkdirSync(folder)
      assert.deepStrictEqual(yield* send(exporter, "b"), { exported: 1 })
      assert.deepStrictEqual(namesIn(path), [["b"]])
    }))

  it.effect.skipIf(!fs.existsSync("/dev/full"))(
    "knows a full device, and never rotates one",
    () =>
      Effect.gen(function*() {
        const diagnostics = Diagnostics.make({ write: () => {} })
        const exporter = yield* File.make({ path: "/dev/full", maxBytes: 1 }).pipe(
          Effect.provideService(Diagnostics.Diagnostics, diagnostics)
        )
        for (let i = 0; i < 2; i++) {
          const error = yield* Effect.flip(send(exporter, "lost"))
          assert.strictEqual(error.detail, "no space left on the device (ENOSPC)")
        }
      })
  )

  it.effect("has written everything when the scope is closed, and takes what comes late", () =>
    Effect.gen(function*() {
      const path = nodePath.join(yield* directory, "spans.jsonl")
      const scope = yield* Scope.make()
      const exporter = yield* Scope.provide(File.make({ path }), scope)
      // Not waited for: the scope does.
      yield* Effect.forkChild(send(exporter, "a"), { startImmediately: true })
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(namesIn(path), [["a"]])
      yield* send(exporter, "late")
      assert.deepStrictEqual(namesIn(path), [["a"], ["late"]])
    }))

  it.effect("keeps the lines of concurrent exports apart", () =>
    Effect.gen(function*() {
      const path = nodePath.join(yield* directory, "spans.jsonl")
      const exporter = yield* File.make({ path })
      yield* Effect.forEach(Array.from({ length: 50 }, (_, i) => `s${i}`), (name) => send(exporter, name), {
        concurrency: "unbounded",
        discard: true
      })
      assert.deepStrictEqual(namesIn(path).flat(), Array.from({ length: 50 }, (_, i) => `s${i}`))
    }))

  it.effect("is a layer of the exporter service", () =>
    Effect.gen(function*() {
      const path = nodePath.join(yield* directory, "spans.jsonl")
      yield* Effect.flatMap(SpanExporter.SpanExporter, (exporter) => send(exporter, "a")).pipe(
        Effect.provide(File.layer({ path }))
      )
      assert.deepStrictEqual(namesIn(path), [["a"]])
    }))
})
