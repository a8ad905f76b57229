/** What becomes of spans when a process leaves, in every way it can, with real processes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { facade, namesOf, run, spansOf, spoolFiles, start as startProgram, temporary } from "./programs.ts"
import { type Handler, start, type TestServer } from "./server.ts"

const closed = "http://127.0.0.1:9"
/** Hangs until the first process has left, then answers. */
const sleeper = () => {
  let isUp = false
  const handler: Handler = ({ response }) => {
    if (isUp) response.writeHead(200).end()
  }
  return { script: Array.from({ length: 20 }, () => handler), wake: () => isUp = true }
}
const originOf = (server: TestServer): string => new URL(server.url).origin

const to = (endpoint: string, more = ""): string => `otlp: { endpoint: ${JSON.stringify(endpoint)} }, ${more}`
const spooled = (directory: string): string => `spool: { directory: ${JSON.stringify(directory)}, minFreeBytes: 0 },`
const onSignals = `shutdownOn: ["SIGTERM", "SIGINT"],`

/** The program that comes after: it delivers what the one before it left. */
const next = (server: TestServer, directory: string): string =>
  facade(to(originOf(server), spooled(directory)), "await TraceContext.flush(); await TraceContext.shutdown()")

/** Spans that still open ended with the process, by name. */
const interrupted = (server: TestServer): Record<string, unknown> =>
  Object.fromEntries(
    spansOf(server)
      .filter(({ attributes }) => "effect.span.interrupted" in attributes)
      .map(({ attributes, name }) => [name, attributes["effect.span.interrupted"]])
  )

describe.concurrent("a process that leaves, without a spool,", () => {
  it.live(
    "by itself delivers everything first, open spans too, children before their parents",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const server = yield* start()
        const { code, err } = yield* run(facade(
          to(originOf(server)),
          `spans(0, 100)
         const parent = startSpan("parent")
         startSpan("child", { parent })`
        ))
        assert.deepStrictEqual([code, err], [0, ""])
        const names = namesOf(server)
        assert.strictEqual(new Set(names).size, 102)
        assert.isBelow(names.indexOf("child"), names.indexOf("parent"))
        assert.deepStrictEqual(interrupted(server), { child: "exit", parent: "exit" })
      })),
    30_000
  )

  it.live(
    "by itself, is held no longer than a shutdown may take, and says what is lost",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const server = yield* start(sleeper().script)
        const { code, err, out } = yield* run(facade(
          to(originOf(server), `shutdownTimeout: "500 millis"`),
          `spans(0, 100)
         const start = performance.now()
         process.on("exit", () => console.log(performance.now() - start < 10_000 ? "in time" : "late"))`
        ))
        assert.deepStrictEqual([code, out.trim()], [0, "in time"])
        assert.include(err, "100 items lost (shutdown): the process ended before they were delivered")
      })),
    30_000
  )

  for (const [what, spool] of [["", false], [", with a spool", true]] as const) {
    it.live(
      `is held by who waits for a probe, a flush or a shutdown, and by nothing else${what}`,
      () =>
        Effect.scoped(Effect.gen(function*() {
          const directory = yield* temporary
          const late: Handler = ({ response }) => void setTimeout(() => response.writeHead(200).end(), 200)
          const server = yield* start(Array.from({ length: 9 }, () => late))
          const { code, err, out } = yield* run(facade(
            to(originOf(server), spool ? spooled(directory) : ""),
            `const [{ trouble }] = await TraceContext.probe()
           spans(0, 1)
           const { exported } = await TraceContext.flush()
           spans(1, 2)
           await TraceContext.shutdown()
           console.log(trouble, exported)`
          ))
          assert.deepStrictEqual([code, out.trim(), err], [0, "undefined 1", ""])
        })),
      30_000
    )
  }

  it.live(
    "goes on, when another listener of beforeExit has work, and delivers that too",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const server = yield* start()
        const { code } = yield* run(facade(
          to(originOf(server)),
          `spans(0, 50)
         process.once("beforeExit", () => setTimeout(() => spans(50, 100), 50))`
        ))
        assert.strictEqual(code, 0)
        assert.strictEqual(new Set(namesOf(server)).size, 100)
      })),
    30_000
  )

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it.live(
      `by ${signal} delivers everything first where that was asked for, and ends by the signal`,
      () =>
        Effect.scoped(Effect.gen(function*() {
          const server = yield* start()
          const program = yield* startProgram(facade(
            to(originOf(server), onSignals),
            `spans(0, 100)
           startSpan("open")
           setInterval(() => {}, 1000)
           console.log("ready")`
          ))
          yield* program.says("ready")
          program.child.kill(signal)
          const { err, signal: by } = yield* program.ended
          assert.deepStrictEqual([by, err], [signal, ""])
          assert.strictEqual(new Set(namesOf(server)).size, 101)
          assert.deepStrictEqual(interrupted(server), { open: signal })
        })),
      30_000
    )
  }

  it.live("leaves it to a program that listens to the signal when it ends", () =>
    Effect.scoped(Effect.gen(function*() {
      const server = yield* start()
      const program = yield* startProgram(facade(
        to(originOf(server), onSignals),
        `spans(0, 100)
         process.on("SIGTERM", () => setTimeout(() => { spans(100, 110); clearInterval(timer) }, 300))
         const timer = setInterval(() => {}, 1000)
         console.log("ready")`
      ))
      yield* program.says("ready")
      program.child.kill("SIGTERM")
      const { code, signal } = yield* program.ended
      assert.deepStrictEqual([code, signal], [0, null])
      assert.strictEqual(new Set(namesOf(server)).size, 110)
    })), 30_000)

  it.live(
    "ends at once by a second signal, and by one of two telemetries that both were asked",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const server = yield* start(sleeper().script)
        const program = yield* startProgram(
          facade(
            to(originOf(server), `${onSignals} shutdownTimeout: "20 seconds",`),
            `import * as Effect from "effect/Effect"
         import { TelemetryLayer } from "effect-telemetry"
         Effect.runFork(Effect.never.pipe(
           Effect.provide(TelemetryLayer({ tracesExporters: ["none"], shutdownOn: ["SIGTERM"] }))
         ))
         spans(0, 100)
         process.on("exit", () => console.log("no exit event comes with a signal"))
         setTimeout(() => console.log("ready"), 100)
         setInterval(() => {}, 1000)`
          )
        )
        yield* program.says("ready")
        program.child.kill("SIGTERM")
        yield* Effect.sleep("500 millis")
        assert.isNull(program.child.signalCode)
        program.child.kill("SIGTERM")
        const { err, signal } = yield* program.ended
        assert.strictEqual(signal, "SIGTERM")
        assert.include(err, "100 items lost (shutdown)")
      })),
    30_000
  )

  it.live(
    "has flushed when the promise is through that it handed to its host",
    () =>
      Effect.scoped(Effect.gen(function*() {
        // A serverless host freezes the process as soon as the answer is sent and what was handed to waitUntil is through.
        const server = yield* start([({ response }) => setTimeout(() => response.writeHead(200).end(), 300)])
        const program = yield* startProgram(facade(
          to(originOf(server)),
          `const waitUntil = (promise) => promise.then((result) => console.log("frozen", JSON.stringify(result)))
         spans(0, 50)
         // The first batch is on its way already: a flush waits for it, too.
         void TraceContext.flush()
         await new Promise((resolve) => setTimeout(resolve, 50))
         spans(50, 100)
         waitUntil(TraceContext.flush({ within: "5 seconds" }))
         setInterval(() => {}, 1000)`
        ))
        yield* program.says("frozen")
        program.child.kill("SIGSTOP")
        assert.strictEqual(new Set(namesOf(server)).size, 100)
        program.child.kill("SIGKILL")
        const { out } = yield* program.ended
        assert.include(out, `"failed":0,"spooled":0,"left":0`)
      })),
    30_000
  )
})

describe.concurrent("a process that leaves, with a spool,", () => {
  const ways: ReadonlyArray<readonly [string, string]> = [
    ["by itself", ""],
    ["by process.exit", "process.exit(0)"],
    ["by an uncaught error", "setTimeout(() => { throw new Error('uncaught') })"],
    ["by an unhandled rejection", "Promise.reject(new Error('unhandled'))"],
    ["by SIGTERM", "process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)"]
  ]
  for (const [way, leave] of ways) {
    it.live(
      `${way} has its 100 spans and the open one delivered by the next`,
      () =>
        Effect.scoped(Effect.gen(function*() {
          const directory = yield* temporary
          const { script, wake } = sleeper()
          const server = yield* start(script)
          const target = to(originOf(server), spooled(directory) + onSignals + "shutdownTimeout: 300,")
          yield* run(facade(target, `spans(0, 100); startSpan("open"); ${leave}`))
          assert.isAbove(spoolFiles(directory).length, 0)
          wake()
          yield* run(next(server, directory))
          assert.strictEqual(new Set(namesOf(server)).size, 101)
          assert.deepStrictEqual(spoolFiles(directory), [])
          assert.property(interrupted(server), "open")
        })),
      60_000
    )
  }

  it.live("keeps the spool of one destination from another", () =>
    Effect.scoped(Effect.gen(function*() {
      const directory = yield* temporary
      const server = yield* start()
      yield* run(facade(to(closed, spooled(directory)), "spans(0, 100)"))
      yield* run(facade(to(originOf(server), spooled(directory)), "await TraceContext.shutdown()"))
      assert.deepStrictEqual(namesOf(server), [])
      assert.isAbove(spoolFiles(directory).length, 0)
    })), 60_000)
})

describe.concurrent("worker threads and clusters", () => {
  const worker = (endpoint: string, exit: boolean, directory?: string) => {
    const options = {
      otlp: { endpoint },
      shutdownTimeout: 300,
      ...directory === undefined ? {} : { spool: { directory, minFreeBytes: 0 } }
    }
    return `
      import { Worker } from "node:worker_threads"
      const worker = new Worker(${
      JSON.stringify(`
        import("tsx/esm/api").then(({ register }) => {
          register()
          return import(${JSON.stringify(new URL("workerProgram.ts", import.meta.url).href)})
        })`)
    }, {
        eval: true,
        execArgv: ["--conditions=effect-telemetry-source"],
        workerData: ${JSON.stringify({ options, exit })}
      })
      worker.on("error", (error) => console.log("ERROR", error))
      worker.on("exit", () => console.log("worker left"))`
  }

  it.live("a worker thread that ends by itself delivers its spans", () =>
    Effect.scoped(Effect.gen(function*() {
      const server = yield* start()
      const { err, out } = yield* run(worker(originOf(server), false))
      assert.strictEqual(out.trim(), "worker left", err)
      assert.strictEqual(new Set(namesOf(server)).size, 100)
    })), 60_000)

  for (const exit of [true, false]) {
    it.live(
      `a worker thread that ends ${exit ? "by process.exit" : "by itself"} leaves the rest in the spool`,
      () =>
        Effect.scoped(Effect.gen(function*() {
          const directory = yield* temporary
          const { script, wake } = sleeper()
          const server = yield* start(script)
          const { err, out } = yield* run(worker(originOf(server), exit, directory))
          assert.strictEqual(out.trim(), "worker left", err)
          assert.isAbove(spoolFiles(directory).length, 0)
          wake()
          wake()
          yield* run(next(server, directory))
          assert.strictEqual(new Set(namesOf(server)).size, 100)
          assert.deepStrictEqual(spoolFiles(directory), [])
        })),
      60_000
    )
  }

  it.live(
    "processes of a cluster share a directory; what one leaves when it is killed, another delivers, once",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const directory = yield* temporary
        const server = yield* start()
        const options = spooled(directory).replace("minFreeBytes", `mode: "always", minFreeBytes`)
        const survivor = yield* startProgram(facade(
          to(originOf(server), options),
          `setInterval(() => {}, 1000)
         console.log("ready")`
        ))
        yield* survivor.says("ready")
        const killed = yield* startProgram(
          facade(
            to(originOf(server), options),
            `// Only what it does while it is alive can be on disk: nothing is sent before the process is gone.
         const { setImmediate } = await import("node:timers/promises")
         spans(0, 100)
         await setImmediate()
         await setImmediate()
         process.kill(process.pid, "SIGKILL")`
          )
        )
        yield* killed.ended
        // The heartbeat of the survivor finds the folder of a process that is gone.
        yield* Effect.sleep("100 millis").pipe(
          Effect.repeat({ until: () => new Set(namesOf(server)).size === 100 }),
          Effect.timeout("25 seconds")
        )
        assert.strictEqual(new Set(namesOf(server)).size, 100)
      })),
    60_000
  )
})
