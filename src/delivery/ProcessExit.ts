/** What is done when the process ends, while nothing can be waited for any more. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Where hooks are left for the end of the process. */
export interface ProcessExit {
  /**
   * Calls `hook` when the process ends by itself, by `process.exit` or by an uncaught error; not when it is killed. What
   * `hook` does must be done when it returns. Returns the function that takes it back.
   */
  readonly add: (hook: () => void) => () => void
}

interface Emitter {
  readonly on?: (event: "exit", listener: () => void) => unknown
  readonly off?: (event: "exit", listener: () => void) => unknown
}

const listen = (hook: () => void): () => void => {
  const host = (globalThis as { readonly process?: Emitter }).process
  host?.on?.("exit", hook)
  return () => void host?.off?.("exit", hook)
}

/** The hooks in force. Default: each is a listener of its own on the process's `exit` event. */
export const ProcessExit: Context.Reference<ProcessExit> = Context.Reference<ProcessExit>(
  "effect-telemetry/delivery/ProcessExit",
  { defaultValue: () => ({ add: listen }) }
)

/** Hooks that share one listener. */
export interface SharedExit extends ProcessExit {
  /** Runs all hooks now, each once, the latest first; for who is about to end the process in another way. */
  readonly run: () => void
}

/** Makes hooks that share one listener until the scope closes. A hook that throws keeps no other from running. */
export const make: Effect.Effect<SharedExit, never, Scope.Scope> = Effect.gen(function*() {
  const hooks = new Set<() => void>()
  const run = (): void => {
    const latestFirst = [...hooks].reverse()
    hooks.clear()
    for (const hook of latestFirst) {
      try {
        hook()
      } catch {
        // The process ends: there is nobody left to be told.
      }
    }
  }
  yield* Effect.acquireRelease(Effect.sync(() => listen(run)), (stop) => Effect.sync(stop))
  return {
    run,
    add: (hook) => {
      hooks.add(hook)
      return () => void hooks.delete(hook)
    }
  }
})
