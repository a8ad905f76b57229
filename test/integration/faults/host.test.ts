/**
 * The host: its event loop, its clock, its memory and its values, with a process of its own for each, which must end by
 * itself, with 0, and with nothing unhandled, whatever becomes of its spans.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createGzip } from "node:zlib"
import type { SignalSnapshot } from "../../../src/diagnostics/Ledger.ts"
import { pour } from "../pour.ts"
import { namesOf, type Program, spansOf, start as startProgram, temporary } from "../programs.ts"
import { type Handler, reply, start, type TestServer } from "../server.ts"
import { booksOf } from "./pipeline.ts"

/** A program that says its closing ledger; `prelude` runs before the library is loaded. */
const audited = ({ url }: TestServer, { body, options = "", otlp = "timeout: 5_000", prelude = "" }: {
  readonly body: string
  readonly otlp?: string
  readonly options?: string
  readonly prelude?: string
}): string => `
  for (const trouble of ["uncaughtException", "unhandledRejection"]) {
    process.on(trouble, (error) => {
      console.log(trouble, error)
      process.exitCode = 9
    })
  }
  const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis))
  ${prelude}
  const { startSpan, trace, TraceContext } = await import("effect-telemetry/promise")
  await TraceContext.initialize({ otlp: { tracesEndpoint: ${JSON.stringify(url)}, ${otlp} }, ${options} })
  const spans = (from, to) => { for (let i = from; i < to; i++) trace("span " + i, () => {}) }
  ${body}
  process.stdout.write(JSON.stringify(await TraceContext.shutdown()))
`

/** Waits for the end of such a program, checks that it came to no harm and that its books balance, and hands them over. */
const ending = Effect.fnUntraced(function*({ ended }: Program) {
  const { code, err, out, signal } = yield* ended
  assert.deepStrictEqual([code, signal], [0, null], out + err)
  const { created, destinations, open } = JSON.parse(out) as SignalSnapshot
  assert.strictEqual(destinations.length, 1)
  const { dropped, exported, queued, rejected, spooled, unaccounted } = destinations[0]!
  const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0)
  assert.deepStrictEqual([open, unaccounted], [0, 0])
  assert.strictEqual(exported + sum(rejected) + sum(dropped) + queued + spooled, created)
  return { books: { exported, rejected, dropped, queued, spooled }, err }
})

/** Runs a program against a server whose handlers may reach into it. */
const scenario = (
  script: (program: () => Program) => ReadonlyArray<Handler>,
  program: Parameters<typeof audited>[1],
  check: (result: {
    readonly server: TestServer
    readonly books: ReturnType<typeof booksOf>
    readonly err: string
  }) => void
) =>
  Effect.scoped(Effect.gen(function*() {
    const running: Array<Program> = []
    const server = yield* start(script(() => running[0]!))
    running.push(yield* startProgram(audited(server, program)))
    const { books, err } = yield* ending(running[0]!)
    check({ server, books, err })
  }))

const both = booksOf({ exported: 2 })

// In milliseconds; a machine that is busy must not use it up by itself.
const patience = 2_000

describe.concurrent("the event loop", () => {
  // They tell each other by files, as one of them can do nothing else: it is held, the answer is out.
  it.live(
    "is held beyond the deadline while the answer comes: one delivery",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const directory = yield* temporary
        const isHeld = join(directory, "held")
        const isAnswered = join(directory, "answered")
        yield* scenario((program) => [
          ({ response }) => {
            program().child.stdin!.write("hold\n")
            const timer = setInterval(() => {
              if (!existsSync(isHeld)) return
              clearInterval(timer)
              response.on("finish", () => writeFileSync(isAnswered, "")).writeHead(200).end()
            }, 10)
            response.on("close", () => clearInterval(timer))
          }
        ], {
          otlp: `timeout: ${patience}`,
          body: `
          const { existsSync, writeFileSync } = await import("node:fs")
          const hold = () => {
            writeFileSync(${JSON.stringify(isHeld)}, "")
            const cell = new Int32Array(new SharedArrayBuffer(4))
            for (const began = performance.now(); performance.now() - began < 20_000;) {
              Atomics.wait(cell, 0, 0, 20)
              if (existsSync(${JSON.stringify(isAnswered)}) && performance.now() - began > ${patience + 200}) return
            }
          }
          // Right before the timers, so that the deadline comes before the answer.
          process.stdin.once("data", () => setImmediate(hold))
          spans(0, 1)
          await TraceContext.flush({ within: "1 minute" })
          spans(1, 2)
          process.stdin.destroy()`
        }, ({ books, err, server }) => {
          assert.deepStrictEqual([books, err], [both, ""])
          assert.deepStrictEqual(namesOf(server), ["span 0", "span 1"])
        })
      })),
    60_000
  )

  it.live("stands still with the whole process, which is resumed beyond the deadline: one delivery", () =>
    scenario((program) => [
      (exchange) => {
        const { child } = program()
        child.kill("SIGSTOP")
        setTimeout(() => reply(200)(exchange), 100)
        setTimeout(() => child.kill("SIGCONT"), patience + 200)
      }
    ], {
      otlp: `timeout: ${patience}`,
      body: `
        spans(0, 1)
        await TraceContext.flush()
        spans(1, 2)`
    }, ({ books, err, server }) => {
      assert.deepStrictEqual([books, err], [both, ""])
      assert.deepStrictEqual(namesOf(server), ["span 0", "span 1"])
    }))
})

describe.concurrent("the clock", () => {
  for (const [direction, hours] of [["ahead", 1], ["back", -1]] as const) {
    it.live(`jumps an hour ${direction} while a request is under way and one waits: no deadline or wait notices, and no span ends before it began`, () =>
      scenario((program) => [
        (exchange) => {
          program().child.stdin!.write("jump\n")
          setTimeout(() => reply(503)(exchange), 200)
        }
      ], {
        prelude: `
          let offset = 0
          const Real = Date
          globalThis.Date = class extends Real {
            constructor(...given) { super(...(given.length === 0 ? [Real.now() + offset] : given)) }
            static now() { return Real.now() + offset }
          }`,
        options: `shutdownTimeout: "20 seconds"`,
        body: `
          const across = startSpan("across")
          spans(0, 1)
          const jumped = new Promise((resolve) => process.stdin.once("data", () => {
            offset = ${hours} * 3_600_000
            process.stdin.destroy()
            resolve()
          }))
          const flushing = TraceContext.flush({ within: "20 seconds" })
          await jumped
          trace("after", () => {})
          across.end()
          await flushing`
      }, ({ books, err, server }) => {
        assert.deepStrictEqual(books, booksOf({ exported: 3 }))
        assert.include(err, "503")
        assert.notInclude(err, "timeout")
        const accepted = spansOf(server, (index) => index > 0)
        assert.deepStrictEqual(new Set(accepted.map(({ name }) => name)), new Set(["span 0", "across", "after"]))
        for (const { endTimeUnixNano, name, startTimeUnixNano } of accepted) {
          const seconds = Number(endTimeUnixNano - startTimeUnixNano) / 1e9
          assert.isAtLeast(seconds, 0, name)
        }
      }))
  }
})

const protobuf = { "content-type": "application/x-protobuf" }

const huge: Handler = ({ response }) => {
  response.writeHead(200, protobuf)
  pour(response, 200)
}

const bomb: Handler = ({ response }) => {
  response.writeHead(200, { ...protobuf, "content-encoding": "gzip" })
  const gzip = createGzip()
  gzip.on("error", () => {})
  gzip.pipe(response)
  response.on("close", () => gzip.destroy())
  pour(gzip, 300)
}

describe.concurrent("memory", () => {
  for (const [name, handler] of [["an answer of 200 MB", huge], ["an answer that unpacks to 300 MB", bomb]] as const) {
    it.live(`does not grow by ${name}`, () =>
      scenario(() => [reply(200), handler], {
        otlp: `timeout: "20 seconds"`,
        body: `
          spans(0, 1)
          await TraceContext.flush()
          const before = process.resourceUsage().maxRSS
          spans(1, 2)
          await TraceContext.flush()
          const grown = (process.resourceUsage().maxRSS - before) / 1_024
          if (grown > 60) console.log("grown by MiB:", grown)
          spans(2, 3)`
      }, ({ books, err, server }) => {
        assert.deepStrictEqual(books, booksOf({ exported: 2, dropped: { export_error: 1 } }))
        assert.include(err, "larger than 4194304 bytes")
        assert.deepStrictEqual(namesOf(server), ["span 0", "span 1", "span 2"])
      }))
  }
})

describe.concurrent("values that cannot be written down", () => {
  const hostile = `
    const cycle = {}
    cycle.self = cycle
    const fail = () => { throw new Error("no") }
    const hostile = {
      big: 10n ** 30n,
      cycle,
      lone: "\\ud800",
      thrower: { toString: fail, toJSON: fail, [Symbol.toPrimitive]: fail, get property() { return fail() } },
      proxy: new Proxy({}, { get: fail, ownKeys: fail, getPrototypeOf: fail, has: fail }),
      revoked: (() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy })(),
      symbol: Symbol("s"),
      invalid: new Date(NaN),
      deep: Array.from({ length: 10_000 }).reduce((inner) => [inner], 1),
      hole: [1, , "two", undefined, null],
      ["__proto__"]: 1,
      ["lone \\udfff key"]: 1,
      function: fail,
      promise: Promise.resolve(1)
    }`
  for (const protocol of ["http/protobuf", "http/json"]) {
    it.live(`arrive all the same, as ${protocol}, and so does the span after them`, () =>
      scenario(() => [], {
        body: `${hostile}
          trace("hostile", { attributes: hostile }, () => {})
          await trace("throws", async () => { throw hostile.thrower }).catch(() => {})
          await trace("throws a proxy", async () => { throw hostile.revoked }).catch(() => {})
          trace("lone \\ud800 name", () => {})
          trace("plain", () => {})`,
        otlp: `protocol: "${protocol}"`
      }, ({ books, err, server }) => {
        assert.deepStrictEqual([books, err], [booksOf({ exported: 5 }), ""])
        const [span, ...others] = spansOf(server)
        assert.deepStrictEqual(others.map(({ name }) => name), [
          "throws",
          "throws a proxy",
          "lone \ufffd name",
          "plain"
        ])
        const { big, lone } = span!.attributes
        assert.deepStrictEqual([big, lone], [String(10n ** 30n), "\ufffd"])
      }))
  }
})
