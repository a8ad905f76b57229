/**
 * OpenTelemetry JavaScript and this library in one process: one trace through Effect, plain code and instrumented
 * libraries.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { Telemetry } from "../Telemetry.ts"
import { TelemetryTracer } from "../tracing/Tracer.ts"
import type * as Api from "./api.ts"
import * as global from "./global.ts"
import { load, MissingPeerError } from "./peers.ts"

export { MissingPeerError } from "./peers.ts"

/** Options of {@link register}. */
export interface RegisterOptions {
  /**
   * The module `@opentelemetry/api`, as `import * as api` gives it. Default: the installed one, which is loaded; a program
   * that is bundled into one file has to give it.
   */
  readonly api?: Api.Api | undefined
}

/** The tracer in context is not of this library. */
export class NoTelemetryError extends Data.TaggedError("NoTelemetryError")<{}> {
  override get message(): string {
    return "OpenTelemetry can only be served by the tracer of this library: provide TelemetryLayer to this layer"
  }
}

const isApi = (value: unknown): value is Api.Api =>
  typeof value === "object" && value !== null && "trace" in value && "context" in value && "propagation" in value

/**
 * Makes this library's tracer, context and propagator those of `@opentelemetry/api`, until the scope closes.
 *
 * **Details**
 *
 * Spans of instrumentations and of whoever calls the API then go the way of all others, nested within Effect's spans, and
 * Effect's within theirs. No SDK is needed. Where somebody has registered before, or a copy of the API of another version,
 * what could not be taken is told in one line.
 *
 * The requests by which telemetry is sent are marked as suppressed, so that they make no spans; and a suppressed context
 * makes no spans here.
 */
export const register = Effect.fnUntraced(function*(
  options?: RegisterOptions
): Effect.fn.Return<void, MissingPeerError | NoTelemetryError, Scope.Scope | Telemetry> {
  yield* Telemetry
  const tracer = yield* Tracer.Tracer
  if (!(tracer instanceof TelemetryTracer)) return yield* new NoTelemetryError()
  const loaded = options?.api ?? (yield* load("@opentelemetry/api", "the global registry of OpenTelemetry"))
  if (!isApi(loaded)) {
    return yield* new MissingPeerError({
      peer: "@opentelemetry/api",
      purpose: "the global registry of OpenTelemetry",
      cause: loaded
    })
  }
  const diagnostics = yield* Diagnostics
  yield* Effect.acquireRelease(
    Effect.sync(() => global.register(loaded, tracer.core, diagnostics)),
    ({ remove }) => Effect.sync(remove)
  )
})

/** {@link register} as a layer; needs `TelemetryLayer`. */
export const layer = (
  options?: RegisterOptions
): Layer.Layer<never, MissingPeerError | NoTelemetryError, Telemetry> => Layer.effectDiscard(register(options))
