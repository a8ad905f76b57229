/** How a process that is about to end waits for what is still to be delivered, where waiting is possible. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type * as Os from "node:os"
import { nodeBuiltin } from "../internal/nodeBuiltin.ts"

/** A signal that asks a process to end. */
export type ShutdownSignal = "SIGTERM" | "SIGINT" | "SIGHUP"

/** What is asked of the telemetry of a process. */
export interface LeavingOptions {
  /** Ends what is open, and marks it with the reason. */
  readonly endOpen: (reason: string) => void
  /** A number that grows with everything that is made. */
  readonly created: () => number
  /** Whether anything waits in memory. */
  readonly isWaiting: () => boolean
  /** Delivers what waits, in bounded time. */
  readonly flush: Effect.Effect<unknown>
  /** Signals after which the process ends, once everything is delivered. */
  readonly signals: ReadonlyArray<ShutdownSignal>
  /** Keeps what is left, at once. */
  readonly runExitHooks: () => void
}

type Listener = (signal: ShutdownSignal) => void

interface Host {
  readonly pid?: number
  readonly on?: (event: string, listener: Listener) => unknown
  readonly off?: (event: string, listener: Listener) => unknown
  readonly listeners?: (event: string) => ReadonlyArray<unknown>
  readonly kill?: (pid: number, signal: string) => unknown
  readonly exit?: (code: number) => unknown
}

/** Marks the listeners of this library, of whichever copy, so that two of them do not wait for each other. */
const mark = Symbol.for("effect-telemetry/delivery/leaving")

/**
 * Delivers what waits when the event loop runs empty (`beforeExit`), and when a signal of `signals` arrives; until the
 * scope closes.
 *
 * **Details**
 *
 * Once the loop is empty, nothing can end an open span any more, so it is ended and marked. The process is held for the
 * time of the flush, and a second time only when something was made meanwhile.
 *
 * After a signal that nobody else listens to the process ends by that signal, as it would have without a listener. Where
 * somebody else listens, it is for them to end the process; what waits is delivered meanwhile. A second signal ends the
 * process at once; what is left goes to the spool, or is counted.
 */
export const install = Effect.fnUntraced(
  function*(options: LeavingOptions): Effect.fn.Return<void, never, Scope.Scope> {
    const host = (globalThis as { readonly process?: Host }).process
    if (host?.on === undefined || host.off === undefined) return
    const context = yield* Effect.context<never>()
    const fork = Effect.runForkWith(context)
    const deliver = Effect.ignoreCause(options.flush)

    let seen = -1
    let isBusy = false
    const onBeforeExit = (): void => {
      if (isBusy || seen === options.created()) return
      options.endOpen("exit")
      seen = options.created()
      if (!options.isWaiting()) return
      isBusy = true
      fork(deliver).addObserver(() => {
        isBusy = false
      })
    }

    let leaving: Fiber.Fiber<void> | undefined
    const onSignal = (signal: ShutdownSignal): void => {
      const others = host.listeners?.(signal).some((listener) => !(mark in (listener as object))) === true
      if (others) {
        fork(deliver)
        return
      }
      if (leaving !== undefined) return leave(signal)
      options.endOpen(signal)
      leaving = fork(deliver)
      leaving.addObserver(() => leave(signal))
    }

    const leave = (signal: ShutdownSignal): void => {
      options.runExitHooks()
      stop()
      // Another telemetry of this process is not done yet; it ends the process when it is.
      if (host.listeners?.(signal).length !== 0) return
      host.kill?.(host.pid ?? 0, signal)
      // The first process of a container is not ended by a signal without a listener.
      if (host.pid === 1) host.exit?.(128 + (nodeBuiltin<typeof Os>("os")?.constants.signals[signal] ?? 0))
    }

    const stop = (): void => {
      host.off!("beforeExit", onBeforeExit)
      for (const signal of options.signals) host.off!(signal, onSignal)
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        host.on!("beforeExit", onBeforeExit)
        for (const signal of options.signals) host.on!(signal, Object.assign(onSignal, { [mark]: true }))
      }),
      () => Effect.sync(stop)
    )
  }
)
