/** The W3C trace-context suite's 41 cases against the service, as processes of their own that speak real HTTP. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { advancedCases, cases, type Header, levelTwoCases, type Sent, sentBy } from "../conformance/w3cCases.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** The harness: remembers the headers of each call back, line by line. */
const called: Array<ReadonlyArray<Header>> = []
const harness = createServer((incoming, response) => {
  const headers: Array<Header> = []
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
    headers.push([incoming.rawHeaders[i]!, incoming.rawHeaders[i + 1]!])
  }
  incoming.resume().on("end", () => {
    called.push(headers)
    response.writeHead(200, { "content-type": "application/json" }).end("null")
  })
})

beforeAll(() => new Promise<void>((resolve) => harness.listen(0, "127.0.0.1", resolve)))
afterAll(() => {
  harness.closeAllConnections()
  harness.close()
})

interface Service {
  readonly child: ChildProcess
  readonly url: string
}

/** Started as the npm script does, but for npm. */
const start = (...options: ReadonlyArray<string>): Promise<Service> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ["--import", "tsx", "--conditions=effect-telemetry-source", "scripts/w3c/service.ts", "--port", "0", ...options],
      { cwd: root, stdio: ["ignore", "pipe", "pipe"] }
    )
    let out = ""
    let err = ""
    child.stderr.on("data", (chunk: Buffer) => err += chunk.toString())
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString()
      const url = /listening on (\S+)\n/.exec(out)?.[1]
      if (url !== undefined) resolve({ child, url })
    })
    child.on("close", (code) => reject(new Error(`the service ended with ${code}: ${err}`)))
  })

/** Asks the service for `count` calls, with `headers` line by line, and gives what each of them carried. */
const ask = async ({ url }: Service, headers: ReadonlyArray<Header>, count = 1): Promise<ReadonlyArray<Sent>> => {
  called.length = 0
  const { port } = harness.address() as AddressInfo
  const body = JSON.stringify(
    Array.from({ length: count }, (_, i) => ({ url: `http://127.0.0.1:${port}/callback/${i}`, arguments: [] }))
  )
  const { host } = new URL(url)
  const lines = [
    ["Host", host],
    ["Content-Type", "application/json"],
    ["Content-Length", String(body.length)],
    ...headers
  ]
  const status = await new Promise<number | undefined>((resolve, reject) => {
    request(
      url,
      { method: "POST", headers: lines.flat() as never, agent: false },
      (response) => response.resume().on("end", () => resolve(response.statusCode))
    ).on("error", reject).end(body)
  })
  assert.strictEqual(status, 200)
  assert.strictEqual(called.length, count, "the service calls back as often as it was asked to")
  return called.map(sentBy)
}

const suite = process.env["W3C_TRACE_CONTEXT_SUITE"]

describe.each([["Effect's HTTP server and client", []], ["node:http and the Promise facade", ["--plain"]]] as const)(
  "%s",
  (_, options) => {
    let service: Service
    beforeAll(async () => {
      service = await start(...options)
    })
    afterAll(() => void service?.child.kill())

    it.each(Object.entries({ ...cases, ...levelTwoCases }))("%s", async (_, steps) => {
      for (const [headers, expect] of steps) expect((await ask(service, headers))[0]!)
    })

    it.each(Object.entries(advancedCases))("%s", async (_, [headers, expect]) => expect(await ask(service, headers, 3)))

    it("the suite itself, where W3C_TRACE_CONTEXT_SUITE names its folder", ({ annotate, skip }) => {
      if (suite === undefined) {
        return skip("set W3C_TRACE_CONTEXT_SUITE to the folder `test` of w3c/trace-context to run its own 41 cases")
      }
      const { status, stderr, stdout } = spawnSync("python3", ["test.py", service.url], {
        cwd: suite,
        env: { ...process.env, SPEC_LEVEL: "2" },
        encoding: "utf8",
        timeout: 25_000
      })
      assert.strictEqual(status, 0, stdout + stderr)
      return annotate(/Ran \d+ tests[^\n]*/.exec(stderr)?.[0] ?? "no summary")
    })
  }
)
