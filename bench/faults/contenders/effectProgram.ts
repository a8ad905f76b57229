/** Programs of Effect: a runtime for those that are steered from outside, `runMain` for those that end by themselves. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import type { Books, Setup } from "../protocol.ts"
import type { Contender, MakeSpan } from "./Contender.ts"

export const effectContender = <Out, E>(
  layer: (setup: Setup) => Layer.Layer<Out, E>,
  books?: Effect.Effect<Books, never, Out>
): Contender => ({
  start: async (setup) => {
    const runtime = ManagedRuntime.make(layer(setup))
    await runtime.runPromise(Effect.void)
    let last: Books | undefined
    return {
      span: (name, attributes) => runtime.runSync(Effect.withSpan(Effect.void, name, { attributes: attributes ?? {} })),
      open: (name) => {
        let end!: () => void
        const open = new Promise<void>((resolve) => {
          end = resolve
        })
        runtime.runFork(Effect.withSpan(Effect.promise(() => open), name))
        return end
      },
      close: () => runtime.dispose(),
      ...(books === undefined ? {} : { books: async () => last = await runtime.runPromise(books).catch(() => last) })
    }
  },
  main: (setup, body) =>
    Effect.gen(function*() {
      const services = yield* Effect.context<never>()
      const span: MakeSpan = (name, attributes) =>
        Effect.runSyncWith(services)(Effect.withSpan(Effect.void, name, { attributes: attributes ?? {} }))
      yield* Effect.promise(() => body(span))
    }).pipe(Effect.provide(layer(setup)), Effect.orDie, NodeRuntime.runMain)
})
