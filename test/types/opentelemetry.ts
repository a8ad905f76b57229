/** Our structures beside the real types of OpenTelemetry JavaScript: what only the compiler checks. */
import type * as api from "@opentelemetry/api"
import type * as resources from "@opentelemetry/resources"
import type * as sdk from "@opentelemetry/sdk-trace-base"
import type * as Api from "../../src/interop/api.ts"
import type { OtelSpan } from "../../src/interop/OtelSpan.ts"
import type { OtelSampler, OtelSpanExporter } from "../../src/interop/ToOpenTelemetry.ts"

/** Fails to compile where a value of `From` is no `To`. */
type Fits<From extends To, To> = From

// What is theirs is taken.
export type Taken = [
  Fits<typeof api, Api.Api>,
  Fits<api.Span, Api.Span>,
  Fits<api.Context, Api.Context>,
  Fits<api.SpanContext, Api.SpanContext>,
  Fits<api.Baggage, Api.Baggage>,
  Fits<api.TracerProvider, Api.TracerProvider>,
  Fits<api.TextMapPropagator, Api.TextMapPropagator>,
  Fits<sdk.SpanProcessor, Api.SpanProcessor>,
  Fits<sdk.SpanExporter, Api.SpanExporter>,
  Fits<sdk.Sampler, Api.Sampler>,
  Fits<sdk.IdGenerator, Api.IdGenerator>,
  Fits<sdk.ReadableSpan, Api.ReadableSpan>,
  Fits<resources.ResourceDetector, Api.ResourceDetector>
]

// What is ours is taken there.
export type Given = [
  Fits<Api.TracerProvider, api.TracerProvider>,
  Fits<Api.ContextManager, api.ContextManager>,
  Fits<Api.TextMapPropagator, api.TextMapPropagator>,
  Fits<Api.TraceState, api.TraceState>,
  Fits<OtelSpan, api.Span>,
  Fits<OtelSampler, sdk.Sampler>,
  Fits<OtelSpanExporter, sdk.SpanExporter>
]
