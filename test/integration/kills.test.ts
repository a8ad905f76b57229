/**
 * Processes that are killed at random moments under load, with an outside receiver as the judge: in the mode `always`
 * nothing is lost that was made before the event loop turned, and what arrives twice is bounded.
 *
 * `KILLS=300 npx vitest run test/integration/kills.test.ts` for as many kills as wanted.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdirSync } from "node:fs"
import { facade, run, spansIn, spoolFiles, start as startProgram, temporary } from "./programs.ts"
import { type Handler, reply, start } from "./server.ts"

const kills = Math.max(4, Number(process.env["KILLS"] ?? 24))
const lanes = 4

/** Makes spans without end; says how many are acknowledged once the event loop has turned behind them. */
const endless = (name: string) => `
  import { writeSync } from "node:fs"
  import { setImmediate } from "node:timers/promises"
  console.log("ready")
  let made = 0
  for (;;) {
    const until = made + 1 + Math.floor(Math.random() * 20)
    while (made < until) trace("${name}-" + made++, (span) => { span.setAttribute("padding", "x".repeat(made % 500)) })
    await setImmediate()
    await setImmediate()
    writeSync(1, "acknowledged " + made + "\\n")
  }`

/** A destination that takes most requests and fails now and then, so that there is always something to be sent again. */
const moody: Handler = (exchange) => {
  const mood = Math.random()
  if (mood < 0.1) return reply(503)(exchange)
  if (mood < 0.15) return void exchange.request.socket.destroy()
  setTimeout(() => reply(200)(exchange), mood * 20)
}

/** The answers by which a request was accepted cannot be told apart afterwards: each is kept as it is given. */
const judged = () => {
  const accepted: Array<boolean> = []
  const script = Array.from({ length: 100_000 }, (): Handler => (exchange) => {
    const index = accepted.push(false) - 1
    const { response } = exchange
    response.on("finish", () => accepted[index] = response.statusCode === 200)
    moody(exchange)
  })
  return { accepted, script }
}

/** Copies of what was taken for the reason that processes end. */
const poisoned = (directory: string): string =>
  readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => name.includes("poison")).join()

describe("a process that is killed", () => {
  it.live(
    `loses nothing that it acknowledged, ${kills} times`,
    () =>
      Effect.gen(function*() {
        const totals = yield* Effect.forEach(
          Array.from({ length: lanes }, (_, lane) => lane),
          (lane) =>
            Effect.scoped(Effect.gen(function*() {
              const directory = yield* temporary
              const { accepted, script } = judged()
              const server = yield* start(script)
              const options = `otlp: { endpoint: ${JSON.stringify(new URL(server.url).origin)} }, logLevel: "none",
                spool: { directory: ${JSON.stringify(directory)}, mode: "always", minFreeBytes: 0 }`
              const acknowledged: Array<string> = []
              const rounds = Math.ceil(kills / lanes)
              for (let round = 0; round < rounds; round++) {
                const name = `${lane}-${round}`
                yield* Effect.scoped(Effect.gen(function*() {
                  const program = yield* startProgram(facade(options, endless(name)))
                  yield* program.says("ready")
                  yield* Effect.sleep(Math.random() * 400)
                  program.child.kill("SIGKILL")
                  const { out } = yield* program.ended
                  const made = Number(/acknowledged (\d+)\n(?![^]*acknowledged \d+\n)/.exec(out)?.[1] ?? 0)
                  for (let i = 0; i < made; i++) acknowledged.push(`${name}-${i}`)
                }))
              }
              // The last one makes nothing and delivers what all before it left.
              for (let i = 0; i < 60 && spoolFiles(directory).length > 0; i++) {
                yield* run(facade(
                  options,
                  `import { setTimeout } from "node:timers/promises"
                   await setTimeout(1_000)
                   await TraceContext.flush()
                   await TraceContext.shutdown()`
                ))
              }
              assert.deepStrictEqual(spoolFiles(directory), [])
              /** The request by which each span arrived first, and the requests of which something arrived again. */
              const arrived = new Map<string, number>()
              const repeated = new Set<number>()
              let twice = 0
              for (let index = 0; index < accepted.length; index++) {
                if (accepted[index] !== true) continue
                for (const { name } of spansIn(server.received[index]!)) {
                  const first = arrived.get(name)
                  if (first === undefined) arrived.set(name, index)
                  else {
                    repeated.add(first)
                    twice++
                  }
                }
              }
              // A kill repeats the one request that was under way: its answer was given and never read.
              assert.isAtMost(repeated.size, rounds)
              const lost = acknowledged.filter((name) => !arrived.has(name))
              assert.deepStrictEqual(
                lost.slice(0, 10),
                [],
                `${lost.length} of ${acknowledged.length} lost; given up: ${poisoned(directory)}`
              )
              return { acknowledged: acknowledged.length, arrived: arrived.size, twice, repeated: repeated.size }
            })),
          { concurrency: lanes }
        )
        const sum = (key: keyof (typeof totals)[number]) => totals.reduce((total, each) => total + each[key], 0)
        console.log(
          `kills: ${kills}; acknowledged ${sum("acknowledged")}, arrived ${sum("arrived")}, twice ${sum("twice")} of ` +
            `${sum("repeated")} requests`
        )
        assert.isAbove(sum("acknowledged"), kills * 10)
      }),
    Math.max(300_000, kills * 6_000)
  )
})
