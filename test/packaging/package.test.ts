import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFile, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { publint } from "publint"
import { bundle, type Program } from "../../scripts/lib/bundle.ts"
import * as Doctest from "../../scripts/lib/doctest.ts"
import { importsOf } from "../../scripts/lib/importGraph.ts"
import { pack, type Packed } from "../../scripts/lib/pack.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const run = promisify(execFile)

let packed: Packed
/** Every public specifier of the package: a built module that no `null` of its exports hides. */
let specifiers: ReadonlyArray<string>
/** The files and folders that those hide. */
let hidden: ReadonlyArray<string>

beforeAll(() => {
  packed = pack()
  const { exports } = JSON.parse(readFileSync(join(packed.folder, "package.json"), "utf8")) as {
    readonly exports: Readonly<Record<string, unknown>>
  }
  const keys = Object.keys(exports)
  hidden = keys.filter((key) => exports[key] === null && !key.includes("*/")).map((key) =>
    key.slice(2).replace("*", "")
  )
  specifiers = packed.files
    .map((file) => /^dist\/(.+)\.js$/.exec(file)?.[1])
    .filter((path) =>
      path !== undefined && !hidden.some((folder) => path.startsWith(folder)) && !/^(.+\/)?index$/.test(path)
    )
    .map((path) => `effect-telemetry/${path}`)
    .concat(
      keys.filter((key) => exports[key] !== null && !/\*|\.json$/.test(key)).map((key) =>
        `effect-telemetry${key.slice(1)}`
      )
    )
})

afterAll(() => packed?.remove())

/** Runs `code` as a module of the empty project and answers what it printed. */
const evaluate = async (code: string): Promise<string> => {
  const file = join(packed.project, `program-${Math.random().toString(36).slice(2)}.mjs`)
  writeFileSync(file, code)
  const { stdout, stderr } = await run(process.execPath, [file], { cwd: packed.project, timeout: 30_000 })
  assert.strictEqual(stderr, "")
  return stdout
}

describe("the tarball", () => {
  it("holds the sources, the build and the documents, and nothing else", () => {
    const strange = packed.files.filter((file) =>
      !/^(dist\/.+\.(js|d\.ts)(\.map)?|src\/.+\.ts|package\.json|README\.md|LICENSE|AGENTS\.md|CHANGELOG\.md)$/.test(
        file
      )
    )
    assert.deepStrictEqual(strange, [])
    for (const file of ["LICENSE", "README.md", "AGENTS.md", "CHANGELOG.md"]) assert.include(packed.files, file)
  })

  it("has source maps that lead to the packed sources", () => {
    const maps = packed.files.filter((file) => file.endsWith(".js.map"))
    assert.isAbove(maps.length, 20)
    for (const file of maps) {
      const map = JSON.parse(readFileSync(join(packed.folder, file), "utf8")) as {
        readonly sources: ReadonlyArray<string>
        readonly mappings: string
      }
      // A module of types only compiles to `export {}`, which has no place in the source.
      const empty = readFileSync(join(packed.folder, file.slice(0, -4)), "utf8").startsWith("export {};")
      if (!empty) assert.isNotEmpty(map.mappings, file)
      for (const source of map.sources) {
        assert.include(packed.files, join(file, "..", source).replaceAll("\\", "/"))
      }
    }
  })

  it("imports nothing but `effect`, module by module", () => {
    for (const file of packed.files.filter((path) => /^dist\/.+\.js$/.test(path))) {
      for (const found of importsOf(file, readFileSync(join(packed.folder, file), "utf8"))) {
        assert.match(found.specifier, /^(\.\.?\/.+\.js|effect\/.+)$/, `${file}:${found.line}`)
      }
    }
  })

  it("is clean to publint", async () => {
    const { messages } = await publint({ pkgDir: packed.folder, pack: false, strict: true })
    assert.deepStrictEqual(messages.map((message) => ({ code: message.code, path: message.path })), [])
  })

  it("has types that are not wrong", () => {
    const attw = spawnSync(process.execPath, [
      join(root, "node_modules/@arethetypeswrong/cli/dist/index.js"),
      packed.tarball,
      "--profile",
      "esm-only",
      "--no-definitely-typed",
      "--format",
      "ascii",
      "--no-color",
      "--no-emoji"
    ], { encoding: "utf8", cwd: packed.project })
    assert.strictEqual(attw.status, 0, attw.stdout + attw.stderr)
  })
})

describe("a user's project", () => {
  it("imports every public module", async () => {
    assert.isAbove(specifiers.length, 20)
    const out = await evaluate(`
      const found = [import.meta.resolve("effect-telemetry/package.json")]
      for (const specifier of ${JSON.stringify(specifiers)}) {
        if (typeof await import(specifier) === "object") found.push(specifier)
      }
      console.log(found.length)
    `)
    assert.strictEqual(Number(out), specifiers.length + 1)
  })

  it("gets the same from the joined form, which Node takes, as from the single files", async () => {
    const out = await evaluate(`
      const strange = []
      for (const specifier of ${JSON.stringify(specifiers)}) {
        const resolved = import.meta.resolve(specifier)
        if (!resolved.includes("/dist/joined/")) strange.push([specifier, "is not joined"])
        const single = await import(resolved.replace("/dist/joined/", "/dist/"))
        const joined = await import(specifier)
        const names = (module) => Object.keys(module).sort().join()
        if (names(single) !== names(joined)) strange.push([specifier, names(single), names(joined)])
      }
      const door = await import("effect-telemetry")
      const module = await import("effect-telemetry/tracing/Trace")
      if (door.Trace.span !== module.span) strange.push("two copies")
      console.log(JSON.stringify(strange))
    `)
    assert.deepStrictEqual(JSON.parse(out), [])
  })

  it("is told what is missing, when it asks for it, where nothing of OpenTelemetry is installed", async () => {
    const out = await evaluate(`
      import { Effect, Layer } from "effect"
      import { TelemetryLayer } from "effect-telemetry"
      import * as door from "effect-telemetry/opentelemetry"
      const telemetry = TelemetryLayer({ tracesExporters: ["none"] })
      const message = await Effect.void.pipe(
        Effect.provide(door.OpenTelemetry.layer().pipe(Layer.provideMerge(telemetry))),
        Effect.flip,
        Effect.map((error) => error._tag + ": " + error.message),
        Effect.runPromise
      )
      const { HAS_TRACE_CONTEXT, HAS_SPAN_PROCESSOR, HAS_OTLP_EXPORTER } = door
      const available = await Effect.runPromise(door.Availability)
      console.log(JSON.stringify([HAS_TRACE_CONTEXT, HAS_SPAN_PROCESSOR, HAS_OTLP_EXPORTER, available, message]))
    `)
    assert.deepStrictEqual(JSON.parse(out), [
      false,
      false,
      false,
      { traceContext: false, spanProcessor: false, otlpExporter: false },
      "MissingPeerError: the global registry of OpenTelemetry needs @opentelemetry/api, which is not installed: " +
      "npm install @opentelemetry/api"
    ])
  })

  it("cannot import what is private", async () => {
    const modules = packed.files
      .map((file) => /^dist\/(.+)\.js$/.exec(file)?.[1])
      .filter((path) => path !== undefined)
    const secret = hidden.map((folder) => modules.find((path) => path.startsWith(folder)) ?? `${folder}a`)
    for (const path of [...secret, "promise/index", "dist/index.js", "src/index.ts"]) {
      const code = await evaluate(
        `try { await import("effect-telemetry/${path}"); console.log("imported") } catch (e) { console.log(e.code) }`
      )
      assert.match(code.trim(), /^ERR_(PACKAGE_PATH_NOT_EXPORTED|MODULE_NOT_FOUND)$/, path)
    }
  })

  it("type-checks against every public module, declarations included", async () => {
    writeFileSync(
      join(packed.project, "consumer.ts"),
      specifiers.map((specifier, i) => `import * as M${i} from ${JSON.stringify(specifier)}`).join("\n") +
        `\nexport const modules: ReadonlyArray<object> = [${specifiers.map((_, i) => `M${i}`).join(", ")}]\n` +
        `// @ts-expect-error private\nexport type Hex = typeof import("effect-telemetry/internal/hex")\n`
    )
    writeFileSync(
      join(packed.project, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          module: "NodeNext",
          target: "ES2022",
          lib: ["ES2023", "DOM"],
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
          skipLibCheck: false,
          types: []
        },
        files: ["consumer.ts"]
      })
    )
    const tsc = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "."], {
      cwd: packed.project,
      encoding: "utf8"
    })
    assert.strictEqual(tsc.stdout.split("\n").filter((line) => line.includes("error TS")).join("\n"), "")
    assert.strictEqual(tsc.status, 0, tsc.stdout + tsc.stderr)
  })

  it("can import the front doors without an effect on the process", async () => {
    const out = await evaluate(`
      const events = (emitter) => emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)])
      const effect = await Promise.all(["Effect", "Schema", "Layer", "Tracer"].map((name) => import("effect/" + name)))
      const look = () => JSON.stringify({
        globals: Reflect.ownKeys(globalThis).map(String),
        listeners: events(process),
        resources: process.getActiveResourcesInfo().filter((name) => name !== "FSReqPromise"),
        env: { ...process.env }
      })
      const before = look()
      for (const door of ["", "/promise", "/testing"]) await import("effect-telemetry" + door)
      console.log(before === look() ? "same" : before + "\\n" + look(), effect.length)
    `)
    assert.strictEqual(out.trim(), "same 4")
  })
})

describe("a quick start, copied into an empty project", () => {
  const found: Array<string> = []
  const collector = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => found.push(chunk.toString("latin1")))
    request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end("{}"))
  })
  beforeAll(() => new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve)))
  afterAll(() => {
    collector.closeAllConnections()
    collector.close()
  })

  /** What a snippet needs beside the two packages of the project, from the repository's own. */
  const install = (code: string): void => {
    for (const { specifier } of importsOf("snippet.ts", code)) {
      const name = /^(@[^/]+\/)?[^/]+/.exec(specifier)![0]
      const link = join(packed.project, "node_modules", name)
      if (name.startsWith("node:") || existsSync(link)) continue
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(join(root, "node_modules", name), link)
    }
  }

  const documents = ["README.md", "docs/how-to/plain-typescript.md"].map((file) => ({
    file,
    text: readFileSync(join(root, file), "utf8")
  }))
  const quickStarts = documents.flatMap(({ file, text }) => {
    const end = file === "README.md" ? text.indexOf("\n## What it does") : text.length
    return Doctest.snippetsOf(Doctest.blocksOfMarkdown(file, text.slice(0, end)))
  })

  it("is there: with Effect, without", () => {
    const readme = quickStarts.filter(({ file }) => file === "README.md").map(({ code }) => code).join()
    assert.include(readme, "TelemetryLayer({ serviceName: \"shop\" })")
    assert.include(readme, "TraceContext.initialize({ serviceName: \"shop\" })")
    assert.include(quickStarts.map(({ code }) => code).join(), "@traced()")
  })

  for (const snippet of quickStarts) {
    it(`${snippet.file}:${snippet.line} type-checks, runs, and its spans arrive`, async () => {
      const name = `quick-start-${snippet.file.replace(/\W/g, "-")}-${snippet.line}`
      install(snippet.code)
      writeFileSync(join(packed.project, `${name}.mts`), snippet.code)
      const compilerOptions = {
        module: "NodeNext",
        target: "ES2022",
        lib: ["ES2023", "ESNext.Disposable", "DOM"],
        strict: true,
        types: []
      }
      writeFileSync(
        join(packed.project, `${name}.json`),
        JSON.stringify({ compilerOptions, files: [`${name}.mts`] })
      )
      const tsc = spawnSync(
        process.execPath,
        [join(root, "node_modules/typescript/bin/tsc"), "-p", `${name}.json`],
        { cwd: packed.project, encoding: "utf8" }
      )
      assert.strictEqual(tsc.stdout + tsc.stderr, "")
      found.length = 0
      const { stderr, stdout } = await run(process.execPath, [`${name}.mjs`], {
        cwd: packed.project,
        timeout: 30_000,
        env: {
          ...process.env,
          NODE_OPTIONS: "",
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
        }
      })
      assert.notMatch(stderr, /effect-telemetry (error|warn):/)
      if (snippet.file !== "README.md") return
      const spans = [...snippet.code.matchAll(/(?:withSpan|trace|traced)\("([^"]+)"/g)].map((match) => match[1]!)
      assert.isNotEmpty(spans)
      for (const span of spans) assert.include(found.join() + stdout + stderr, span)
    })
  }
})

describe("a bundled program", () => {
  const programs = JSON.parse(
    readFileSync(join(root, "test/packaging/budgets.json"), "utf8")
  ) as Readonly<Record<string, Program>>

  for (const [name, program] of Object.entries(programs)) {
    it(`${name}: is within its budget and carries nothing it does not use`, async ({ annotate }) => {
      const { gzipped, modules } = await bundle(program.code, packed.project)
      await annotate(`${name}: ${gzipped} B gzipped, budget ${program.budget} B`)
      const unwanted = modules.filter(({ path }) => program.never.some((part) => path.includes(part)))
      assert.deepStrictEqual(unwanted, [])
      assert.isAtMost(
        gzipped,
        program.budget,
        "`npm run size` tells where the bytes are, `-- --write` moves the budget"
      )
    })
  }
})
