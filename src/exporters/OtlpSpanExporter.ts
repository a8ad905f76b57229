/**
 * Spans over OTLP/HTTP (`protocol/exporter.md`, `opentelemetry-proto/docs/specification.md#otlphttp`).
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as DefaultTransport from "../delivery/DefaultTransport.ts"
import { mayHelpLater } from "../delivery/Batcher.ts"
import * as Delivery from "../delivery/Delivery.ts"
import type { TlsOptions } from "../delivery/NodeTransport.ts"
import { isConfigurationStatus } from "../delivery/Retry.ts"
import { Spool } from "../delivery/Spool.ts"
import { Transport } from "../delivery/Transport.ts"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { optionalService } from "../internal/optionalService.ts"
import type { OtlpEncoder, OtlpSpanBatch } from "../otlp/OtlpEncoder.ts"
import * as OtlpJson from "../otlp/OtlpJson.ts"
import * as OtlpProtobuf from "../otlp/OtlpProtobuf.ts"
import { makeAnswerReader } from "./otlpAnswer.ts"
import { openOutbox } from "./otlpOutbox.ts"
import * as SpanExporter from "./SpanExporter.ts"

/** Options of {@link make}. */
export interface OtlpSpanExporterOptions extends Omit<Delivery.DeliveryOptions, "name">, TlsOptions {
  /** Where spans are posted, used as it is, as in `http://localhost:4318/v1/traces`. */
  readonly url: string
  /** Short name of the destination, used in the ledger and in diagnostics. Default `otlp`. */
  readonly name?: string | undefined
  /** Default `http/protobuf`. */
  readonly protocol?: "http/protobuf" | "http/json" | undefined
  /** Largest request body before compression, in bytes; larger batches are split. Default 64 MiB. */
  readonly maxRequestBytes?: number | undefined
}

// Below this the envelope outweighs the spans, and a server that refuses it refuses everything.
const minLearnedBytes = 64 * 1024
/** Accepted requests after which a larger one is tried. */
const relearnAfter = 100

/**
 * Makes an exporter that posts spans to an OTLP/HTTP endpoint.
 *
 * **Details**
 *
 * Sends with the `Transport` in context, or else with the runtime's own (then the certificate options hold), which lives
 * as long as the scope. See `Delivery.make` for retries.
 *
 * What a batch comes to: `2xx` exported, less what a partial success reports (`partial_rejected`); a body that is no OTLP
 * answer is a warning. A batch above `maxRequestBytes` is split, and a single span above it is dropped (`oversize`). `413`
 * splits the batch, and later batches are split before they are sent. Any other status: `permanent_status`, with the
 * server's message in diagnostics. No answer within the retry age: `retry_exhausted`; an unusable one: `export_error`.
 *
 * With a `Spool` in context, what could not be delivered at the first attempt goes there, and is sent from there when the
 * destination answers again; what the disk does not take is retried as if there was none. Of what it refuses for good, a copy is kept beside it.
 */
export const make = (
  options: OtlpSpanExporterOptions
): Effect.Effect<SpanExporter.SpanExporterShape, never, Scope.Scope> =>
  makeWith(options.protocol === "http/json" ? OtlpJson.encoder : OtlpProtobuf.encoder, options)

/** {@link make} with a given encoder, so that a bundle carries only that one. */
export const makeWith = Effect.fnUntraced(function*(
  encoder: OtlpEncoder,
  options: Omit<OtlpSpanExporterOptions, "protocol">
): Effect.fn.Return<SpanExporter.SpanExporterShape, never, Scope.Scope> {
  const diagnostics = yield* Diagnostics
  const transport = (yield* optionalService(Transport)) ?? (yield* DefaultTransport.make(options))
  const name = options.name ?? "otlp"
  const delivery = yield* Effect.provideService(Delivery.make({ ...options, name }), Transport, transport)
  const maxRequestBytes = options.maxRequestBytes ?? 64 * 1024 * 1024
  const { contentType } = encoder
  /** Largest body the destination is believed to take, and how many were accepted since that was learned. */
  let learnedBytes = Infinity
  let acceptedSince = 0
  const learn = (bytes: number): void => {
    learnedBytes = Math.max(minLearnedBytes, Math.min(learnedBytes, bytes))
    acceptedSince = 0
  }
  // The destination, or what stands before it, may take more by now; if not, that costs one request.
  const relearn = (): void => {
    if (learnedBytes === Infinity || ++acceptedSince < relearnAfter) return
    learnedBytes = learnedBytes * 2 > maxRequestBytes ? Infinity : learnedBytes * 2
    acceptedSince = 0
  }
  /** The memory of the last body, for the next one. */
  let spare: Uint8Array | undefined

  const exportError = (reason: SpanExporter.ExportError["reason"], detail: string): SpanExporter.ExportError =>
    new SpanExporter.ExportError({ destination: name, reason, detail })

  const answers = makeAnswerReader(name, contentType, delivery.scrub, diagnostics)

  const spool = yield* optionalService(Spool)
  const outbox = spool === undefined
    ? undefined
    : yield* openOutbox({ ...answers, spool, encoder, delivery, url: options.url, maxRequestBytes })
  // What fails has a place to go to: it is not held in memory for another attempt, unless the disk fails, too.
  const send = (batch: OtlpSpanBatch, request: Delivery.DeliveryRequest) =>
    outbox === undefined
      ? delivery.send(request)
      : Effect.catch(
        delivery.sendOnce(request),
        (error) => error.reason !== "retry_exhausted" || outbox.write(batch) ? error : delivery.send(request)
      )

  /** Batches that are sent in parts, until the export ends. */
  const parted = new WeakMap<OtlpSpanBatch, Parts>()

  const deliver = (
    batch: OtlpSpanBatch,
    since: bigint,
    whole = batch
  ): Effect.Effect<SpanExporter.ExportResult, SpanExporter.ExportError> =>
    Effect.suspend(() => {
      let body: Uint8Array
      try {
        const reuse = spare
        spare = undefined
        body = batch.toBody(reuse)
      } catch {
        return exportError("unserializable", "the batch could not be encoded")
      }
      const { count } = batch
      const size = body.byteLength
      if (size > maxRequestBytes || (count > 1 && size > learnedBytes)) {
        return halve(
          batch,
          since,
          whole,
          () => exportError("oversize", `one span takes ${size} bytes, more than ${maxRequestBytes}`)
        )
      }
      return Effect.matchEffect(send(batch, { url: options.url, contentType, body, since }), {
        onFailure: (error) => exportError(error.reason, error.detail),
        onSuccess: (response) => {
          if (transport.releasesBody === true && body.buffer.byteLength <= maxSpareBytes) {
            spare = new Uint8Array(body.buffer)
          }
          const { status } = response
          if (status >= 200 && status < 300) {
            relearn()
            return Effect.succeed(answers.accepted(response, count))
          }
          if (status === 413 && count > 1) {
            // A half has all of the envelope, and shall not be split before it is tried.
            learn(Math.ceil(size * 9 / 16))
            return halve(batch, since, whole)
          }
          if (outbox === undefined || !isConfigurationStatus(status) || !outbox.write(batch)) {
            return Effect.succeed(answers.refused(response, count, outbox?.quarantine(body, status)))
          }
          answers.postponed(response, count)
          return exportError("retry_exhausted", `HTTP ${status}`)
        }
      })
    })

  const halve = Effect.fnUntraced(function*(
    batch: OtlpSpanBatch,
    since: bigint,
    whole: OtlpSpanBatch,
    single?: () => SpanExporter.ExportError
  ): Effect.fn.Return<SpanExporter.ExportResult, SpanExporter.ExportError> {
    const halves = batch.split()
    if (halves === undefined) return yield* single?.() ?? exportError("export_error", "the batch could not be split")
    const parts = parted.get(whole) ?? { settled: nothingYet, left: new Set<OtlpSpanBatch>() }
    parted.set(whole, parts)
    parts.left.delete(batch)
    halves.forEach((half) => parts.left.add(half))
    const first = yield* part(halves[0], since, whole, parts)
    const second = yield* part(halves[1], since, whole, parts)
    // With an outbox one of the halves may be there already.
    if (
      outbox === undefined && Result.isFailure(first.result) && Result.isFailure(second.result) &&
      first.result.failure.reason === second.result.failure.reason
    ) return yield* first.result.failure
    return SpanExporter.addResults(first.outcome, second.outcome)
  })

  /** Sends a half, and keeps what became of it, unless it was taken apart and its own halves did. */
  const part = (half: OtlpSpanBatch, since: bigint, whole: OtlpSpanBatch, parts: Parts) =>
    Effect.map(Effect.result(deliver(half, since, whole)), (result) => {
      const known = outcome(result, half)
      if (parts.left.delete(half)) parts.settled = SpanExporter.addResults(parts.settled, known)
      return { result, outcome: known }
    })

  /** The outcome of a batch in parts when there is no time for the rest of it, which goes to the spool. */
  const giveUp = (batch: OtlpSpanBatch): SpanExporter.ExportResult | undefined => {
    const parts = parted.get(batch)
    if (parts === undefined) return undefined
    let spooled = 0
    for (const half of parts.left) {
      if (outbox?.write(half) === true) spooled += half.count
    }
    return spooled === 0 ? parts.settled : SpanExporter.addResults(parts.settled, { exported: 0, spooled })
  }

  const outcome = (
    result: Result.Result<SpanExporter.ExportResult, SpanExporter.ExportError>,
    half: OtlpSpanBatch
  ): SpanExporter.ExportResult => {
    if (Result.isSuccess(result)) return result.success
    const { reason } = result.failure
    // The batch as a whole has a result, so the batcher will not look after the half that has none.
    return mayHelpLater(reason) && outbox?.write(half) === true
      ? { exported: 0, spooled: half.count }
      : { exported: 0, dropped: { [reason]: half.count } }
  }

  const isJson = contentType === "application/json"
  // A request without spans: nothing else tells whether credentials and address are right.
  const nothing = new TextEncoder().encode(isJson ? "{}" : "")
  const check = Effect.match(delivery.sendNow({ url: options.url, contentType, body: nothing }), {
    onFailure: (error) => error.detail,
    onSuccess: (response) => {
      if (response.status < 200 || response.status >= 300) return answers.describe(response)
      const oddity = answers.oddity(response)
      return oddity === undefined ? undefined : `the answer ${oddity}`
    }
  })

  return SpanExporter.make<OtlpSpanBatch>({
    name,
    check,
    component: { type: isJson ? "otlp_http_json_exporter" : "otlp_http_exporter", ...delivery.addressOf(options.url) },
    makeBatch: encoder.makeSpanBatch,
    retryAge: delivery.maxAgeMillis,
    failing: delivery.failing,
    spool: outbox,
    giveUp,
    export: (batch) =>
      batch.count === 0
        ? Effect.succeed({ exported: 0 })
        : Effect.withFiber((fiber) => deliver(batch, fiber.getRef(Clock.Clock).monotonicTimeNanosUnsafe()))
  })
})

/** A batch that is sent in parts: what became of some, and those of which nothing has become. */
interface Parts {
  settled: SpanExporter.ExportResult
  readonly left: Set<OtlpSpanBatch>
}

const nothingYet: SpanExporter.ExportResult = { exported: 0 }

// A body of full batches of ordinary spans; a larger one was an exception.
const maxSpareBytes = 512 * 1024

/** {@link make} as a layer. */
export const layer = (options: OtlpSpanExporterOptions): Layer.Layer<SpanExporter.SpanExporter> =>
  Layer.effect(SpanExporter.SpanExporter, make(options))
