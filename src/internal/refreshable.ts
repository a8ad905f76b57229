import * as Context from "effect/Context"
import { ProvidedClock } from "./clock.ts"

interface Refreshable {
  readonly refresh: () => void
}

const isRefreshable = (timer: unknown): timer is Refreshable =>
  typeof timer === "object" && timer !== null && typeof (timer as Partial<Refreshable>).refresh === "function"

/** A task that is asked for again and again. */
export interface RefreshableTask {
  /** Runs the task about a millisecond from now. */
  readonly ask: () => void
  readonly stop: () => void
}

/**
 * A timer that is made once and then only wound up: for those who cannot spare the 10 µs that a new task in another
 * asynchronous context takes. It keeps the process alive until it has run, and runs in the asynchronous context of this
 * call. `undefined` where timers cannot be wound up, or a clock was provided, which has to be obeyed.
 */
export const refreshable = (context: Context.Context<never>, task: () => void): RefreshableTask | undefined => {
  if (Context.getOrUndefined(context, ProvidedClock) !== undefined) return undefined
  let isAsked = false
  const timer: unknown = setTimeout(() => {
    if (!isAsked) return
    isAsked = false
    task()
  }, 1)
  const stop = (): void => clearTimeout(timer as ReturnType<typeof setTimeout>)
  if (!isRefreshable(timer)) {
    stop()
    return undefined
  }
  return {
    ask: () => {
      if (isAsked) return
      isAsked = true
      timer.refresh()
    },
    stop
  }
}
