/** The global registry of `@opentelemetry/api`: our tracer, context and propagator as those of the whole process. */
import type { Diagnostics } from "../diagnostics/Diagnostics.ts"
import * as AsyncContext from "../context/AsyncContext.ts"
import { tellTracers } from "../internal/otherTracers.ts"
import type { TracerCore } from "../tracing/TracerCore.ts"
import type * as Api from "./api.ts"
import * as ContextManager from "./ContextManager.ts"
import * as otelContext from "./otelContext.ts"
import { active, OtelAmbient } from "./OtelAmbient.ts"
import * as otelPropagator from "./otelPropagator.ts"
import * as TracerProvider from "./TracerProvider.ts"

/** What of it is ours now. */
export interface Registration {
  readonly trace: boolean
  readonly context: boolean
  readonly propagation: boolean
  /** Takes back what is ours. */
  readonly remove: () => void
}

interface Registered {
  readonly version?: string
  readonly trace?: unknown
  readonly context?: unknown
  readonly propagation?: unknown
}

// The API caches the tracers that it was given, so that one provider serves all that register in turn.
const served: TracerProvider.Served = { core: undefined }
const provider = /* @__PURE__ */ TracerProvider.make(served)
const manager = /* @__PURE__ */ ContextManager.make()

// The first copy of the API that registers anything makes it; others must have its version, exactly.
const registry = (): Registered | undefined =>
  (globalThis as { readonly [key: symbol]: Registered | undefined })[Symbol.for("opentelemetry.js.api.1")]

/** Registers, and says aloud what another has already. */
export const register = (api: Api.Api, core: TracerCore, diagnostics: Diagnostics): Registration => {
  const before = registry()
  const trace = api.trace.setGlobalTracerProvider(provider as never)
  const context = api.context.setGlobalContextManager(manager as never)
  const propagation = api.propagation.setGlobalPropagator(otelPropagator.toOtel(core.options.propagator) as never)
  if (trace) served.core = core
  const missed = [
    ...trace ? [] : ["tracer provider"],
    ...context ? [] : ["context manager"],
    ...propagation ? [] : ["propagator"]
  ]
  if (missed.length > 0) {
    const taken = before?.trace !== undefined || before?.context !== undefined || before?.propagation !== undefined
    diagnostics.report(
      "error",
      "opentelemetry.global",
      `OpenTelemetry: the ${missed.join(", ")} of this process ${missed.length > 1 ? "are" : "is"} not ours: ` + (taken
        ? "an SDK is registered already; register one of the two, or use its provider for Effect"
        : `a copy of @opentelemetry/api of version ${before?.version} was first; all copies must have one version`)
    )
  }
  const untell = tellTracers({
    untraced: (f) => AsyncContext.run(new OtelAmbient(otelContext.suppressed(active())), f),
    withoutHeaders: (f) => AsyncContext.run(new OtelAmbient(otelContext.carried(active())), f)
  })
  return {
    trace,
    context,
    propagation,
    remove: () => {
      untell()
      if (trace) {
        served.core = undefined
        api.trace.disable()
      }
      if (context) api.context.disable()
      if (propagation) api.propagation.disable()
    }
  }
}
