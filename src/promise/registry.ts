/**
 * What the Promise facade finds without being handed it: the one telemetry of the process, and the tracers that were
 * asked for by name. This is the library's only module-level state beside the async-local storage: a plain function has
 * no context to find a service in.
 */
import type { TelemetryShape } from "../Telemetry.ts"
import type { TracerCore } from "../tracing/TracerCore.ts"
import type { Source } from "./spans.ts"

/** A running telemetry. */
export interface Registered {
  readonly core: TracerCore
  readonly telemetry: TelemetryShape
}

let registered: Registered | undefined

/** The running telemetry, or `undefined` before `initialize` and after `shutdown`. */
export const current = (): Registered | undefined => registered

/** Makes `next` the running telemetry. */
export const register = (next: Registered | undefined): void => {
  registered = next
}

/** Spans of the running telemetry, whichever that is at the moment. */
export const global: Source = {
  core: () => registered?.core,
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
