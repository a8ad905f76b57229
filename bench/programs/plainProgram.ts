/** The program of the contenders that trace plain TypeScript: the shop of `effectProgram.ts` in async functions. */
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises"
import type { SpanAttributes } from "./attributes.ts"
import { cartAttributes, queryAttributes, renderAttributes, requestAttributes } from "./attributes.ts"
import type { Contender, Load, Running, Setup } from "./Load.ts"
import { requestsPerTurn } from "./Load.ts"

/** Runs a function within a span, which ends when the function returns or its promise settles. */
export interface SpanRunner {
  readonly runAsync: (name: string, attributes: SpanAttributes, fn: () => Promise<number>) => Promise<number>
  readonly runSync: (name: string, attributes: SpanAttributes, fn: () => number) => number
}

const requestAsync = (span: SpanRunner) => (i: number): Promise<number> =>
  span.runAsync("GET /orders/:id", requestAttributes(i), async () => {
    const a = await span.runAsync("cart.load", cartAttributes(i), async () => i & 7)
    const b = await span.runAsync("db.query", queryAttributes(i), async () => i & 3)
    const c = await span.runAsync("render", renderAttributes(i), async () => i & 1)
    return a + b + c
  })

const requestSync = (span: SpanRunner) => (i: number): number =>
  span.runSync("GET /orders/:id", requestAttributes(i), () => {
    const a = span.runSync("cart.load", cartAttributes(i), () => i & 7)
    const b = span.runSync("db.query", queryAttributes(i), () => i & 3)
    const c = span.runSync("render", renderAttributes(i), () => i & 1)
    return a + b + c
  })

const steady = async (requests: number, request: (i: number) => Promise<number>): Promise<number> => {
  let sum = 0
  for (let i = 0; i < requests; i++) {
    sum += await request(i)
    if (i % requestsPerTurn === requestsPerTurn - 1) await turn()
  }
  return sum
}

const paced = async (load: Load, request: (i: number) => Promise<number>): Promise<number> => {
  const rate = load.requests / load.millis
  const start = performance.now()
  let sum = 0
  let made = 0
  while (made < load.requests) {
    const due = Math.min(load.requests, Math.floor((performance.now() - start) * rate) + 1)
    while (made < due) {
      sum += await request(made++)
      if (made % requestsPerTurn === 0) await turn()
    }
    await sleep(1)
  }
  return sum
}

const burst = (requests: number, request: (i: number) => number): number => {
  let sum = 0
  for (let i = 0; i < requests; i++) sum += request(i)
  return sum
}

/** A contender from its span functions. */
export const plainContender = (
  open: (setup: Setup) => Promise<Omit<Running, "run"> & { readonly span: SpanRunner }>
): Contender => ({
  open: async (setup) => {
    const { span, ...rest } = await open(setup)
    const later = requestAsync(span)
    const now = requestSync(span)
    return {
      run: async (load) => {
        switch (load.kind) {
          case "calls":
            return steady(load.requests, later)
          case "paced":
            return paced(load, later)
          case "burst":
            return burst(load.requests, now)
          case "prebuilt":
            throw new Error("plain functions are not prebuilt")
        }
      },
      ...rest
    }
  }
})
