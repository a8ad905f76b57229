/** Metrics over OTLP/HTTP (`protocol/exporter.md`, `opentelemetry-proto/docs/specification.md#otlphttp`). */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as DefaultTransport from "../delivery/DefaultTransport.ts"
import * as Delivery from "../delivery/Delivery.ts"
import type { TlsOptions } from "../delivery/NodeTransport.ts"
import { Transport } from "../delivery/Transport.ts"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { optionalService } from "../internal/optionalService.ts"
import type { MetricData } from "../model/MetricData.ts"
import type { OtlpMetricEncoder } from "../otlp/OtlpMetricEncoder.ts"
import * as OtlpMetricsJson from "../otlp/OtlpMetricsJson.ts"
import * as OtlpMetricsProtobuf from "../otlp/OtlpMetricsProtobuf.ts"
import { batches, countPoints, MetricExporter, type MetricExporterShape } from "./MetricExporter.ts"
import { makeAnswerReader, metrics as signal } from "./otlpAnswer.ts"
import { addResults, ExportError, type ExportResult } from "./SpanExporter.ts"

/** Options of {@link make}. */
export interface OtlpMetricExporterOptions extends Omit<Delivery.DeliveryOptions, "name">, TlsOptions {
  /** Where metrics are posted, used as it is, as in `http://localhost:4318/v1/metrics`. */
  readonly url: string
  /** Short name of the destination, used in the ledger and in diagnostics. Default `otlp`. */
  readonly name?: string | undefined
  /** Default `http/protobuf`. */
  readonly protocol?: "http/protobuf" | "http/json" | undefined
  /** Largest request body before compression, in bytes; larger batches are split. Default 64 MiB. */
  readonly maxRequestBytes?: number | undefined
  /** The delivery to the destination, where other signals go there, too. Default one of its own. */
  readonly delivery?: Delivery.Delivery | undefined
}

/**
 * Makes an exporter that posts metrics to an OTLP/HTTP endpoint.
 *
 * **Details**
 *
 * Sends with the `Transport` in context, or else with the runtime's own. See `Delivery.make` for retries.
 *
 * What a batch comes to, point by point: `2xx` exported, less what a partial success reports (`partial_rejected`). A batch
 * above `maxRequestBytes`, or one that is answered by `413`, is split, and a single point that is still too large is
 * dropped (`oversize`). Any other status: `permanent_status`, with the server's message in diagnostics. No answer within
 * the retry age: `retry_exhausted`; an unusable one: `export_error`. There is no spool: what is delta waits in its series,
 * and what is cumulative is in the next report, too.
 */
export const make = (
  options: OtlpMetricExporterOptions
): Effect.Effect<MetricExporterShape, never, Scope.Scope> =>
  makeWith(options.protocol === "http/json" ? OtlpMetricsJson.encoder : OtlpMetricsProtobuf.encoder, options)

/** {@link make} with a given encoder, so that a bundle carries only that one. */
export const makeWith = Effect.fnUntraced(function*(
  encoder: OtlpMetricEncoder,
  options: Omit<OtlpMetricExporterOptions, "protocol">
): Effect.fn.Return<MetricExporterShape, never, Scope.Scope> {
  const diagnostics = yield* Diagnostics
  const name = options.name ?? "otlp"
  const delivery = options.delivery ?? (yield* Effect.provideService(
    Delivery.make({ ...options, name }),
    Transport,
    (yield* optionalService(Transport)) ?? (yield* DefaultTransport.make(options))
  ))
  const maxRequestBytes = options.maxRequestBytes ?? 64 * 1024 * 1024
  const { contentType } = encoder
  const { url } = options
  const answers = makeAnswerReader(name, contentType, delivery.scrub, diagnostics, signal)
  const fail = (reason: ExportError["reason"], detail: string) => new ExportError({ destination: name, reason, detail })

  const deliver = (metrics: ReadonlyArray<MetricData>, since: bigint): Effect.Effect<ExportResult, ExportError> =>
    Effect.suspend(() => {
      const count = countPoints(metrics)
      let body: Uint8Array
      try {
        body = encoder.encode(metrics)
      } catch {
        return fail("unserializable", "the batch could not be encoded")
      }
      const size = body.byteLength
      if (size > maxRequestBytes) {
        return count > 1
          ? halve(metrics, count, since)
          : fail("oversize", `one data point takes ${size} bytes, more than ${maxRequestBytes}`)
      }
      return Effect.matchEffect(delivery.send({ url, contentType, body, since }), {
        onFailure: (error) => fail(error.reason, error.detail),
        onSuccess: (response) => {
          const { status } = response
          if (status >= 200 && status < 300) return Effect.succeed(answers.accepted(response, count))
          if (status === 413 && count > 1) return halve(metrics, count, since)
          return Effect.succeed(answers.refused(response, count))
        }
      })
    })

  const halve = Effect.fnUntraced(function*(
    metrics: ReadonlyArray<MetricData>,
    count: number,
    since: bigint
  ): Effect.fn.Return<ExportResult, ExportError> {
    const halves = batches(metrics, Math.ceil(count / 2))
    const first = yield* Effect.result(deliver(halves[0]!, since))
    const second = yield* Effect.result(deliver(halves[1]!, since))
    if (first._tag === "Failure" && second._tag === "Failure") return yield* first.failure
    const outcome = (result: typeof first, half: ReadonlyArray<MetricData>): ExportResult =>
      result._tag === "Success"
        ? result.success
        : { exported: 0, dropped: { [result.failure.reason]: countPoints(half) } }
    return addResults(outcome(first, halves[0]!), outcome(second, halves[1]!))
  })

  const isJson = contentType === "application/json"
  const nothing = new TextEncoder().encode(isJson ? "{}" : "")
  const check = Effect.match(delivery.sendNow({ url, contentType, body: nothing }), {
    onFailure: (error) => error.detail,
    onSuccess: (response) => {
      if (response.status < 200 || response.status >= 300) return answers.describe(response)
      const oddity = answers.oddity(response)
      return oddity === undefined ? undefined : `the answer ${oddity}`
    }
  })

  return MetricExporter.of({
    name,
    check,
    component: {
      type: isJson ? "otlp_http_json_metric_exporter" : "otlp_http_metric_exporter",
      ...delivery.addressOf(url)
    },
    retryAge: delivery.maxAgeMillis,
    failing: delivery.failing,
    export: (metrics) =>
      metrics.length === 0
        ? Effect.succeed({ exported: 0 })
        : Effect.withFiber((fiber) => deliver(metrics, fiber.getRef(Clock.Clock).monotonicTimeNanosUnsafe()))
  })
})

/** {@link make} as a layer. */
export const layer = (options: OtlpMetricExporterOptions): Layer.Layer<MetricExporter> =>
  Layer.effect(MetricExporter, make(options))
