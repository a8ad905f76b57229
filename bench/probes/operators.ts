/** An operator around an effect that does next to nothing, many times in one fiber, after an everyday program. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { everyday } from "../programs/everyday.ts"
import { cpuNanos, type Probe } from "./Probe.ts"

/** Five attributes of a request; some repeat, some never do. */
export const fiveAttributes = (i: number) => ({
  "http.request.method": "GET",
  "http.route": "/orders/:id",
  "url.path": `/orders/${1_000_000 + i}`,
  "http.response.status_code": 200,
  "user.id": `user-${(i * 7_919 % 100_003).toString(36)}`
})

/** A program of `size` operations, `work` telling each. */
export const operatorProbe = <R, E>(
  layer: Layer.Layer<R, E>,
  work: (inner: Effect.Effect<number>, i: number) => Effect.Effect<number>,
  around: (self: Effect.Effect<number>) => Effect.Effect<number> = (self) => self
): Probe => {
  let runtime: ManagedRuntime.ManagedRuntime<R, E> | undefined
  const program = (size: number) =>
    around(Effect.gen(function*() {
      let sum = 0
      for (let i = 0; i < size; i++) {
        sum += yield* work(Effect.succeed(i & 7), i)
        if (i % 32 === 31) yield* Effect.yieldNow
      }
      return sum
    }))
  return {
    sample: async (size) => {
      if (runtime === undefined) {
        await Effect.runPromise(everyday)
        runtime = ManagedRuntime.make(layer)
        await runtime.context()
      }
      const { runPromise } = runtime
      return cpuNanos(size, () => runPromise(program(size)))
    }
  }
}
