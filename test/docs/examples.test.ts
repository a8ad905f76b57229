import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const examples = readdirSync(join(root, "examples")).filter((name) => /^\d\d-.+\.ts$/.test(name)).sort()

const collector = createServer((request, response) => {
  request.resume()
  request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end("{}"))
})

beforeAll(() => new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve)))
afterAll(() => {
  collector.closeAllConnections()
  collector.close()
})

/** Runs an example as a user would, against a collector that takes everything. */
const run = (name: string): Promise<{ readonly code: number | null; readonly output: string }> =>
  new Promise((resolve, reject) => {
    const { port } = collector.address() as AddressInfo
    const child = spawn(
      process.execPath,
      ["--import", "tsx", "--conditions=effect-telemetry-source", join("examples", name)],
      {
        cwd: root,
        env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, NODE_OPTIONS: "" },
        timeout: 25_000
      }
    )
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => output += chunk.toString())
    child.stderr.on("data", (chunk: Buffer) => output += chunk.toString())
    child.on("error", reject)
    child.on("close", (code) => resolve({ code, output }))
  })

describe("the examples", () => {
  it("are numbered without a gap", () => {
    assert.deepStrictEqual(
      examples.map((name) => name.slice(0, 2)),
      examples.map((_, index) => String(index + 1).padStart(2, "0"))
    )
  })

  for (const name of examples) {
    it(`${name} runs by itself and ends well`, async () => {
      const { code, output } = await run(name)
      assert.strictEqual(code, 0, output)
      assert.isNotEmpty(output, "an example shows something")
      assert.notMatch(output, /effect-telemetry (error|warn):/)
    })
  }
})
