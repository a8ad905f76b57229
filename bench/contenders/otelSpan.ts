/** A span around a function, as the documentation of OpenTelemetry JS writes it. */
import { type Span, SpanStatusCode, type Tracer } from "@opentelemetry/api"
import type { SpanRunner } from "../programs/plainProgram.ts"

const fail = (span: Span, error: unknown): never => {
  span.recordException(error as Error)
  span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) })
  throw error
}

export const otelSpan = (tracer: Tracer): SpanRunner => ({
  runAsync: (name, attributes, fn) =>
    tracer.startActiveSpan(name, { attributes }, async (span) => {
      try {
        return await fn()
      } catch (error) {
        return fail(span, error)
      } finally {
        span.end()
      }
    }),
  runSync: (name, attributes, fn) =>
    tracer.startActiveSpan(name, { attributes }, (span) => {
      try {
        return fn()
      } catch (error) {
        return fail(span, error)
      } finally {
        span.end()
      }
    })
})
