/** Our tracer as the `TracerProvider` of OpenTelemetry JavaScript (`trace/api.md`). */
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import { inertSpan } from "../tracing/inertSpan.ts"
import type { TracerCore } from "../tracing/TracerCore.ts"
import type * as Api from "./api.ts"
import * as AsyncContext from "../context/AsyncContext.ts"
import { active, OtelAmbient, parentIn } from "./OtelAmbient.ts"
import * as otelContext from "./otelContext.ts"
import { kindOf } from "./otelKinds.ts"
import { toEffectLinks, viewOf } from "./OtelSpan.ts"
import { toNanos } from "./otelTime.ts"

/** Who serves a provider: nobody, before and after somebody does. Instrumentations keep a tracer for ever. */
export interface Served {
  core: TracerCore | undefined
}

/** Starts spans of one instrumentation scope. */
class OtelTracer implements Api.Tracer {
  private readonly served: Served
  private readonly scope: InstrumentationScope

  constructor(served: Served, scope: InstrumentationScope) {
    this.served = served
    this.scope = scope
  }

  startSpan(name: string, options: Api.SpanOptions = {}, context: Api.Context = active()): Api.Span {
    const { core } = this.served
    if (core === undefined) return viewOf(inertSpan)
    return viewOf(core.start({
      name: String(name),
      kind: kindOf(options.kind),
      parent: options.root === true ? undefined : parentIn(context),
      startTimeUnixNano: toNanos(options.startTime) ?? core.now(),
      attributes: options.attributes,
      links: toEffectLinks(options.links),
      scope: this.scope,
      within: new OtelAmbient(options.root === true ? otelContext.withSpan(context, undefined) : context)
    }))
  }

  startActiveSpan<F extends (span: never) => unknown>(
    name: string,
    ...rest: [F] | [Api.SpanOptions, F] | [Api.SpanOptions, Api.Context, F]
  ): ReturnType<F> {
    const fn = rest.at(-1) as (span: Api.Span) => ReturnType<F>
    const options = rest.length > 1 ? rest[0] as Api.SpanOptions : undefined
    const context = rest.length > 2 ? rest[1] as Api.Context : active()
    const span = this.startSpan(name, options, context)
    return AsyncContext.run(new OtelAmbient(otelContext.withSpan(context, span)), () => fn(span))
  }
}

/** Makes a provider whose spans go where `served` says. A scope is one object for each name, version and schema. */
export const make = (served: Served): Api.TracerProvider => {
  const tracers = new Map<string, Api.Tracer>()
  return {
    getTracer(name, version, options) {
      const schemaUrl = options?.schemaUrl
      const key = JSON.stringify([name, version, schemaUrl])
      let tracer = tracers.get(key)
      if (tracer === undefined) {
        const scope = {
          name: String(name),
          ...version === undefined ? {} : { version },
          ...schemaUrl === undefined ? {} : { schemaUrl }
        }
        tracers.set(key, tracer = new OtelTracer(served, scope))
      }
      return tracer
    }
  }
}
