/**
 * The current span of plain asynchronous code, followed by the platform's `AsyncLocalStorage`.
 *
 * **Details**
 *
 * One storage for the process, since a context has to be seen by whoever asks. Where the platform has none, nothing is
 * followed across `await`, and spans are parented explicitly.
 */
import type { AsyncLocalStorage } from "node:async_hooks"
import type { AnySpan } from "effect/Tracer"
import { nodeBuiltin } from "../internal/nodeBuiltin.ts"

let storage: AsyncLocalStorage<AnySpan> | undefined

/** The span that plain code runs in, or `undefined`. */
export const currentSpan = (): AnySpan | undefined => storage?.getStore()

/** Runs `fn` with `span` as the current span of everything it calls, awaits and schedules. */
export const runWith = <A>(span: AnySpan, fn: () => A): A => {
  if (storage === undefined) {
    const hooks = nodeBuiltin<typeof import("node:async_hooks")>("async_hooks")
    if (hooks === undefined) return fn()
    storage = new hooks.AsyncLocalStorage<AnySpan>()
  }
  return storage.run(span, fn)
}
