/**
 * What the Promise facade finds without being handed it: the one telemetry of the process, and the tracers that were
 * asked for by name. This is the library's only module-level state beside the async-local storage: a plain function has
 * no context to find a service in.
 */
import type { Parts, Running } from "./running.ts"
import type { Source } from "./spans.ts"

let running: Running | undefined

/** The telemetry that `initialize` has started, ready or not; `undefined` before that and after `shutdown`. */
export const registered = (): Running | undefined => running

/** Makes `next` that telemetry. */
export const register = (next: Running | undefined): void => {
  running = next
}

/** Its parts, while it runs. */
export const current = (): Parts | undefined => running?.parts

/** Spans of that telemetry, whichever it is at the moment. */
export const globalSource: Source = {
  core: () => running?.parts?.core,
  scope: undefined
}

const tracers = new Map<string, object>()

/** What was made for `name` and `version` before, or else what `make` makes now. */
export const tracerOf = <A extends object>(name: string, version: string | undefined, make: () => A): A => {
  const key = JSON.stringify([name, version])
  let tracer = tracers.get(key) as A | undefined
  if (tracer === undefined) tracers.set(key, tracer = make())
  return tracer
}
