import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { TraceContext } from "effect-telemetry/promise"
import * as Doctest from "../../scripts/lib/doctest.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const snippets = Doctest.snippetsOf(Doctest.allBlocks(root))
const nameOf = (snippet: Doctest.Snippet): string => `${snippet.file.replace(/[^A-Za-z0-9]+/g, "-")}-${snippet.line}`

let folder: string

// Snippets that export send here; it takes everything.
const collector = createServer((request, response) => {
  request.resume()
  request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end("{}"))
})

beforeAll(async () => {
  mkdirSync(join(root, ".cache"), { recursive: true })
  folder = mkdtempSync(join(root, ".cache", "doctest-"))
  mkdirSync(join(folder, "check"))
  mkdirSync(join(folder, "run"))
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve))
  const { port } = collector.address() as AddressInfo
  process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = `http://127.0.0.1:${port}`
})

afterAll(() => {
  collector.closeAllConnections()
  collector.close()
  delete process.env["OTEL_EXPORTER_OTLP_ENDPOINT"]
  rmSync(folder, { recursive: true, force: true })
})

// What one snippet leaves running is not the next one's.
afterEach(() => TraceContext.shutdown())

describe("the snippets of the documents", () => {
  it("type-check", () => {
    for (const snippet of snippets) {
      writeFileSync(join(folder, "check", `${nameOf(snippet)}.ts`), Doctest.checked(snippet))
    }
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: "../../tsconfig.json",
        compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
        include: ["check"],
        files: []
      })
    )
    const tsc = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], {
      cwd: root,
      encoding: "utf8"
    })
    const complaints = tsc.stdout.replace(/\S*check\/(\S+)\.ts\((\d+),(\d+)\)/g, (all, name: string, line: string) => {
      const snippet = snippets.find((candidate) => nameOf(candidate) === name)
      return snippet === undefined ? all : `${snippet.file}:${snippet.line + Number(line) - 1}`
    })
    assert.strictEqual(complaints, snippets.length === 0 ? tsc.stdout : "")
    if (snippets.length > 0) assert.strictEqual(tsc.status, 0, tsc.stderr)
  })

  const running = (globalThis as Record<string, unknown>)[Doctest.globalKey] = {} as Record<string, Doctest.Claims>
  for (const snippet of snippets.filter(({ noRun }) => noRun === undefined)) {
    it(`${snippet.file}:${snippet.line} does what it says`, async () => {
      const name = nameOf(snippet)
      const { claims, code } = Doctest.program(snippet, name)
      const file = join(folder, "run", `${name}.ts`)
      writeFileSync(file, code)
      running[name] = new Doctest.Claims(snippet)
      await import(/* @vite-ignore */ pathToFileURL(file).href)
      assert.strictEqual(running[name].verdict(claims).join("\n"), "")
    })
  }
})
