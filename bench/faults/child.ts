/**
 * The process of one contender in one row. It is told what to do by its argument, and says what it did line by line on
 * its standard output; what else it says is the contender's.
 */
import { writeSync } from "node:fs"
import { planLookups, plans } from "../../test/integration/lookups.ts"
import type { Contender, MakeSpan, Running } from "./contenders/Contender.ts"
import * as hooks from "./hooks.ts"
import * as meter from "./meter.ts"
import { type Books, now, type Said, type Scenario, type Setup } from "./protocol.ts"

const setup = JSON.parse(process.argv[2]!) as Setup
const { scenario } = setup

// Synchronous, and into a descriptor that keeps no process alive.
const say = (said: Said): void => void writeSync(3, `${JSON.stringify(said)}\n`)

const sleep = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1_000))

const ended = (name: string): void => say({ tag: "ended", name, at: now() })

const large = (): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`text.${i}`, "x".repeat(4_000)]))

const hostile = (): Readonly<Record<string, unknown>> => {
  const cycle: Record<string, unknown> = {}
  cycle["self"] = cycle
  const thrower = {
    toString: () => {
      throw new Error("no text")
    },
    toJSON: () => {
      throw new Error("no JSON")
    }
  }
  return { big: 10n ** 30n, cycle, lone: "\ud800", thrower, symbol: Symbol("s"), invalid: new Date(NaN) }
}

const attempt = (act: () => void): void => {
  try {
    act()
  } catch (error) {
    process.stderr.write(`the program saw: ${String(error)}\n`)
  }
}

const pair = async (running: Running, { across, cargo, incidents, life }: Scenario & { readonly kind: "pair" }) => {
  const cargoOf = { large, hostile }
  attempt(() => running.span("a", cargo === undefined ? undefined : cargoOf[cargo]()))
  ended("a")
  for (const { at, seconds, what } of incidents ?? []) {
    if (across === true) {
      setTimeout(() => {
        const end = running.open("across")
        setTimeout(() => {
          end()
          ended("across")
        }, 1_000)
      }, (at - 0.5) * 1_000)
    }
    setTimeout(() => what === "block" ? hooks.block(seconds) : hooks.jump(seconds), at * 1_000)
  }
  const began = performance.now()
  await sleep(6)
  running.span("b")
  ended("b")
  await sleep(life - (performance.now() - began) / 1_000)
}

const many = (span: MakeSpan, count: number): void => {
  for (let i = 0; i < count; i++) span(`span ${i}`)
  say({ tag: "made", count, at: now() })
}

const flood = async (span: MakeSpan, rate: number, life: number): Promise<void> => {
  const began = performance.now()
  let made = 0
  while (made < rate * life) {
    const due = Math.min(rate * life, Math.floor((performance.now() - began) / 1_000 * rate))
    for (; made < due; made++) span("flood")
    await sleep(0.01)
  }
  say({ tag: "made", count: made, at: now() })
}

const act = async (running: Running): Promise<void> => {
  switch (scenario.kind) {
    case "pair":
      return pair(running, scenario)
    case "close":
      return many(running.span, scenario.count)
    case "burst":
      many(running.span, scenario.count)
      return sleep(scenario.life)
    case "flood":
      return flood(running.span, scenario.rate, scenario.life)
    case "successor":
      return sleep(scenario.life)
    case "leave":
  }
}

const leave = async (span: MakeSpan, { count, way }: Scenario & { readonly kind: "leave" }): Promise<void> => {
  many(span, count)
  if (way === "process.exit") process.exit(0)
  if (way === "throw") {
    setTimeout(() => {
      throw new Error("uncaught")
    })
  }
  if (way === "reject") void Promise.reject(new Error("unhandled"))
  if (way !== "return") await new Promise(() => setInterval(() => {}, 1_000))
}

const steered = async (contender: Contender): Promise<void> => {
  const measure = meter.start()
  // The meter sees a turn of the event loop that has one of its own before and behind it.
  await sleep(0.1)
  const running = await contender.start(setup)
  await sleep(0.1)
  say({ tag: "started" })
  let unaccounted = 0
  let last: Books | undefined
  const audit = async (): Promise<void> => {
    const books = await running.books?.()
    if (books === undefined) return
    unaccounted = Math.max(unaccounted, books.unaccounted)
    last = { ...books, unaccounted }
  }
  const timer = setInterval(() => void audit(), 500)
  await act(running)
  clearInterval(timer)
  await audit()
  say({ tag: "closing", at: now() })
  const cost = await measure(() => running.close().catch(() => {}))
  await audit()
  say({ tag: "cost", cost })
  if (last !== undefined) say({ tag: "books", books: last })
}

if (setup.lookup !== undefined) planLookups(plans[setup.lookup])
if (scenario.kind === "pair" && scenario.incidents?.some(({ what }) => what === "jump") === true) hooks.ownWallClock()
const { default: contender } = await import(`./contenders/${setup.contender}.js`) as { readonly default: Contender }
if (scenario.kind === "leave") contender.main(setup, (span) => leave(span, scenario))
else await steered(contender)
