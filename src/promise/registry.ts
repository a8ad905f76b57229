/**
 * The one telemetry of the process that the Promise facade speaks to. This is the library's only module-level state
 * beside the async-local storage: a plain function has no context to find a service in.
 */
import type { TelemetryShape } from "../Telemetry.ts"
import type { TracerCore } from "../tracing/TracerCore.ts"

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
