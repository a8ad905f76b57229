/** The host is safe: what telemetry does to the process it lives in. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

const root = new URL("../../", import.meta.url)

/** Runs a program in a process of its own; it may end by itself only. */
const run = (program: string, env: Record<string, string> = {}) =>
  new Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>((resolve) => {
    const child = spawn(
      process.execPath,
      ["--import", "tsx", "--conditions=effect-telemetry-source", "--input-type=module", "--eval", program],
      { cwd: root, env: { ...process.env, OTEL_SERVICE_NAME: "host", ...env } }
    )
    let out = ""
    let err = ""
    child.stdout.on("data", (chunk: Buffer) => out += chunk.toString())
    child.stderr.on("data", (chunk: Buffer) => err += chunk.toString())
    const timer = setTimeout(() => child.kill("SIGKILL"), 25_000)
    child.on("close", (code) => {
      clearTimeout(timer)
      resolve({ code, out, err })
    })
  })

const listen = (handler: Parameters<typeof createServer>[1]) =>
  new Promise<{ readonly url: string; readonly close: () => void }>((resolve) => {
    const server = createServer(handler!).listen(0, "127.0.0.1", () =>
      resolve({
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        close: () => {
          server.closeAllConnections()
          server.close()
        }
      }))
  })

const facade = (body: string) => `
  import { trace, TraceContext } from "effect-telemetry/promise"
  process.on("unhandledRejection", (error) => { console.log("UNHANDLED", error); process.exitCode = 9 })
  await TraceContext.initialize({ otlp: { endpoint: process.env.TARGET } })
  ${body}
  console.log("done")
`

describe("the host process", () => {
  it.concurrent("ends by itself while telemetry runs and no collector answers", async () => {
    const { code, err, out } = await run(
      facade("for (let i = 0; i < 2000; i++) trace('work', () => i)\n await new Promise((r) => setTimeout(r, 300))"),
      { TARGET: "http://127.0.0.1:9" }
    )
    assert.deepStrictEqual([code, out.trim()], [0, "done"])
    const lines = err.split("\n").filter((line) => line.includes("effect-telemetry"))
    assert.strictEqual(lines.length, 2, err)
    assert.include(lines[0], "no delivery")
    assert.include(lines[1], "2000 items lost (shutdown): the process ended before they were delivered")
  })

  it.concurrent("shuts down within its deadline when the collector hangs, and says what was lost", async () => {
    const hung = await listen(() => {})
    const { code, err, out } = await run(
      facade(`
        trace("work", () => 1)
        const start = performance.now()
        await TraceContext.shutdown()
        console.log(performance.now() - start < 10_000 ? "in time" : "late")
      `),
      { TARGET: hung.url }
    )
    hung.close()
    assert.deepStrictEqual([code, out.trim()], [0, "in time\ndone"])
    assert.include(err, "shutdown_timeout")
  })

  it.concurrent("an Effect program delivers what has ended when its scope closes", async () => {
    let received = 0
    const collector = await listen((request, response) => {
      request.on("data", (chunk: Buffer) => received += chunk.length)
      request.on("end", () => response.writeHead(200, { "content-type": "application/x-protobuf" }).end())
    })
    const { code, err, out } = await run(
      `
        import * as Effect from "effect/Effect"
        import { TelemetryLayer } from "effect-telemetry"
        await Effect.runPromise(Effect.void.pipe(Effect.withSpan("work"), Effect.provide(TelemetryLayer())))
        console.log("done")
      `,
      { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
    )
    collector.close()
    assert.deepStrictEqual([code, out.trim(), err], [0, "done", ""])
    assert.isAbove(received, 50)
  })

  it.concurrent("a junk environment is told and does no harm", async () => {
    const { code, err, out } = await run(facade("trace('work', () => 1)\n await TraceContext.shutdown()"), {
      TARGET: "http://127.0.0.1:9",
      OTEL_BSP_MAX_QUEUE_SIZE: "many",
      OTEL_TRACES_SAMPLER: "lottery",
      OTEL_RESOURCE_ATTRIBUTES: "%%%",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20canary-secret,broken"
    })
    assert.deepStrictEqual([code, out.trim()], [0, "done"])
    for (const name of ["OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_TRACES_SAMPLER", "OTEL_RESOURCE_ATTRIBUTES"]) {
      assert.include(err, name)
    }
    assert.notInclude(err, "canary-secret")
  })
})
