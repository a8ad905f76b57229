/** A program that says something of many orders by `Effect.log`, with the loggers of a layer and no others. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { logAttributes, logBody } from "./logAttributes.ts"
import { cpuNanos, type Probe } from "./Probe.ts"

const saying = (size: number) =>
  Effect.gen(function*() {
    for (let i = 0; i < size; i++) {
      yield* Effect.annotateLogs(Effect.log(logBody), logAttributes(i))
      if (i % 32 === 31) yield* Effect.yieldNow
    }
  })

export const effectLogs = <R>(
  layer: Layer.Layer<R>,
  flush: Effect.Effect<unknown, never, R>,
  arrived: (count: number) => void
): Probe => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(layer, Logger.layer([])))
  return {
    sample: async (size) => {
      await runtime.runPromise(Effect.void)
      const time = await cpuNanos(size, () => runtime.runPromise(Effect.andThen(saying(size), flush)))
      arrived(size)
      return time
    }
  }
}
