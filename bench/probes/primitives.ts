/** Primitives of a fiber within a span, under a tracer that does or does not keep plain asynchronous code in step. */
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Tracer from "effect/Tracer"
import { TelemetryLayer } from "effect-telemetry"
import { everyday } from "../programs/everyday.ts"
import { encodingOnly } from "./nullExporter.ts"
import { cpuNanos, type Probe } from "./Probe.ts"

const program = (size: number) =>
  Effect.withSpan(
    Effect.gen(function*() {
      let sum = 0
      for (let i = 0; i < size; i++) {
        sum += yield* Effect.flatMap(Effect.sync(() => i & 7), (n) => Effect.sync(() => n + 1))
        if (i % 1024 === 1023) yield* Effect.yieldNow
      }
      return sum
    }),
    "loop"
  )

/** How many primitives the program has: what any tracer is asked about. */
const primitivesOf = async (size: number): Promise<number> => {
  let count = 0
  const counting = Tracer.make({
    span: (options) => new Tracer.NativeSpan(options),
    context: (primitive, fiber) => {
      count++
      return primitive["~effect/Effect/evaluate"](fiber)
    }
  })
  await Effect.runPromise(Effect.provideService(program(size), Tracer.Tracer, counting))
  return count
}

/** Nanoseconds for each primitive. */
export const primitivesProbe = (followAsync: boolean): Probe => {
  let runtime: ReturnType<typeof start> | undefined
  let perOperation = 1
  const start = () => ManagedRuntime.make(TelemetryLayer({ ...encodingOnly, followAsync }))
  return {
    sample: async (size) => {
      if (runtime === undefined) {
        perOperation = await primitivesOf(1024) / 1024
        await Effect.runPromise(everyday)
        runtime = start()
        await runtime.context()
      }
      const { runPromise } = runtime
      return await cpuNanos(size, () => runPromise(program(size))) / perOperation
    }
  }
}
