/** What the OTLP exporters of all signals have in common: a batch becomes a request, and its answer a result. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { mayHelpLater } from "../delivery/Batcher.ts"
import * as DefaultTransport from "../delivery/DefaultTransport.ts"
import * as Delivery from "../delivery/Delivery.ts"
import type { TlsOptions } from "../delivery/NodeTransport.ts"
import { isConfigurationStatus } from "../delivery/Retry.ts"
import { Spool } from "../delivery/Spool.ts"
import { Transport } from "../delivery/Transport.ts"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import type { ComponentInfo } from "../diagnostics/Ledger.ts"
import { optionalService } from "../internal/optionalService.ts"
import type { OtlpBodies, OtlpPayload } from "../otlp/OtlpEncoder.ts"
import type { OtlpSignalName } from "../otlp/OtlpResponse.ts"
import { makeAnswerReader } from "./otlpAnswer.ts"
import { openOutbox, type Outbox } from "./otlpOutbox.ts"
import { ExportError, type ExportResult } from "./SpanExporter.ts"

/** What tells one signal from another. */
export interface OtlpSignal {
  readonly signal: OtlpSignalName
  /** One item, in words. */
  readonly item: string
  /** Several items, in words. */
  readonly items: string
  /** `application/x-protobuf` or `application/json`. */
  readonly contentType: string
  /** How bodies are joined and taken apart where a spool keeps them. Without it none does, nor is their memory reused. */
  readonly bodies?: OtlpBodies | undefined
}

/** Options of an OTLP exporter, whatever the signal. */
export interface OtlpExporterOptions extends Omit<Delivery.DeliveryOptions, "name">, TlsOptions {
  /** Where items are posted, used as it is, as in `http://localhost:4318/v1/traces`. */
  readonly url: string
  /** Short name of the destination, used in the ledger and in diagnostics. Default `otlp`. */
  readonly name?: string | undefined
  /** Largest request body before compression, in bytes; larger batches are split. Default 64 MiB. */
  readonly maxRequestBytes?: number | undefined
  /**
   * The delivery to use, so that several signals to one server share its pauses. The options that make one, from
   * `headers` to `clientKey`, are not looked at then. Default one of its own.
   */
  readonly delivery?: Delivery.Delivery | undefined
}

/** An OTLP exporter of a signal. */
export interface OtlpExporter {
  readonly name: string
  readonly check: Effect.Effect<string | undefined>
  readonly component: ComponentInfo
  readonly retryAge: number
  readonly failing: () => string | undefined
  readonly spool: Outbox | undefined
  readonly giveUp: (batch: OtlpPayload) => ExportResult | undefined
  readonly export: (batch: OtlpPayload) => Effect.Effect<ExportResult, ExportError>
}

/** The delivery of a destination, with the `Transport` in context, or else with one of its own. */
export const makeDelivery = Effect.fnUntraced(function*(
  options: Delivery.DeliveryOptions & TlsOptions
): Effect.fn.Return<Delivery.Delivery, never, Scope.Scope> {
  const transport = (yield* optionalService(Transport)) ?? (yield* DefaultTransport.make(options))
  return yield* Effect.provideService(Delivery.make(options), Transport, transport)
})

// Below this the envelope outweighs the items, and a server that refuses it refuses everything.
const minLearnedBytes = 64 * 1024
/** Accepted requests after which a larger one is tried. */
const relearnAfter = 100

/** Makes the exporter of a signal; `OtlpSpanExporter.make` says what it does. */
export const make = Effect.fnUntraced(function*(
  signal: OtlpSignal,
  options: OtlpExporterOptions
): Effect.fn.Return<OtlpExporter, never, Scope.Scope> {
  const diagnostics = yield* Diagnostics
  const name = options.name ?? "otlp"
  const delivery = options.delivery ?? (yield* makeDelivery({ ...options, name }))
  const maxRequestBytes = options.maxRequestBytes ?? 64 * 1024 * 1024
  const { bodies, contentType } = signal
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

  const exportError = (reason: ExportError["reason"], detail: string): ExportError =>
    new ExportError({ destination: name, reason, detail })

  const answers = makeAnswerReader({ name, contentType, scrub: delivery.scrub, diagnostics, signal })

  const spool = yield* optionalService(Spool)
  const outbox = spool === undefined || bodies === undefined
    ? undefined
    : yield* openOutbox({
      ...answers,
      signal: signal.signal,
      bodies,
      spool,
      delivery,
      url: options.url,
      maxRequestBytes
    })
  // What fails has a place to go to: it is not held in memory for another attempt, unless the disk fails, too.
  const send = (batch: OtlpPayload, request: Delivery.DeliveryRequest) =>
    outbox === undefined
      ? delivery.send(request)
      : Effect.catch(
        delivery.sendOnce(request),
        (error) => error.reason !== "retry_exhausted" || outbox.write(batch) ? error : delivery.send(request)
      )

  /** Batches that are sent in parts, until the export ends. */
  const parted = new WeakMap<OtlpPayload, Parts>()

  const deliver = (
    batch: OtlpPayload,
    since: bigint,
    whole = batch
  ): Effect.Effect<ExportResult, ExportError> =>
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
          () => exportError("oversize", `one ${signal.item} takes ${size} bytes, more than ${maxRequestBytes}`)
        )
      }
      return Effect.matchEffect(send(batch, { url: options.url, contentType, body, since }), {
        onFailure: (error) => exportError(error.reason, error.detail),
        onSuccess: (response) => {
          if (bodies !== undefined && delivery.releasesBody && body.buffer.byteLength <= maxSpareBytes) {
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
    batch: OtlpPayload,
    since: bigint,
    whole: OtlpPayload,
    single?: () => ExportError
  ): Effect.fn.Return<ExportResult, ExportError> {
    const halves = batch.split()
    if (halves === undefined) return yield* single?.() ?? exportError("export_error", "the batch could not be split")
    const parts = parted.get(whole) ?? { settled: nothingYet, left: new Set<OtlpPayload>() }
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
    return add(first.outcome, second.outcome)
  })

  /** Sends a half, and keeps what became of it, unless it was taken apart and its own halves did. */
  const part = (half: OtlpPayload, since: bigint, whole: OtlpPayload, parts: Parts) =>
    Effect.map(Effect.result(deliver(half, since, whole)), (result) => {
      const known = outcome(result, half)
      if (parts.left.delete(half)) parts.settled = add(parts.settled, known)
      return { result, outcome: known }
    })

  /** The outcome of a batch in parts when there is no time for the rest of it, which goes to the spool. */
  const giveUp = (batch: OtlpPayload): ExportResult | undefined => {
    const parts = parted.get(batch)
    if (parts === undefined) return undefined
    let spooled = 0
    for (const half of parts.left) {
      if (outbox?.write(half) === true) spooled += half.count
    }
    return spooled === 0 ? parts.settled : add(parts.settled, { exported: 0, spooled })
  }

  const outcome = (
    result: Result.Result<ExportResult, ExportError>,
    half: OtlpPayload
  ): ExportResult => {
    if (Result.isSuccess(result)) return result.success
    const { reason } = result.failure
    // The batch as a whole has a result, so the batcher will not look after the half that has none.
    return mayHelpLater(reason) && outbox?.write(half) === true
      ? { exported: 0, spooled: half.count }
      : { exported: 0, dropped: { [reason]: half.count } }
  }

  const isJson = contentType === "application/json"
  // A request without items: nothing else tells whether credentials and address are right.
  const nothing = new TextEncoder().encode(isJson ? "{}" : "")
  const check = Effect.match(delivery.sendNow({ url: options.url, contentType, body: nothing }), {
    onFailure: (error) => error.detail,
    onSuccess: (response) => {
      if (response.status < 200 || response.status >= 300) return answers.describe(response)
      const oddity = answers.oddity(response)
      return oddity === undefined ? undefined : `the answer ${oddity}`
    }
  })

  return {
    name,
    check,
    component: { type: componentType(signal.signal, isJson), ...delivery.addressOf(options.url) },
    retryAge: delivery.maxAgeMillis,
    failing: () => delivery.failing(options.url),
    spool: outbox,
    giveUp,
    export: (batch) =>
      batch.count === 0
        ? Effect.succeed({ exported: 0 })
        : Effect.withFiber((fiber) => deliver(batch, fiber.getRef(Clock.Clock).monotonicTimeNanosUnsafe()))
  }
})

// Spans had the short names before the conventions had any.
const componentType = (signal: OtlpSignalName, isJson: boolean): string => {
  const middle = signal === "traces" ? "" : signal === "logs" ? "log_" : "metric_"
  return `otlp_http_${isJson ? "json_" : ""}${middle}exporter`
}

/** A batch that is sent in parts: what became of some, and those of which nothing has become. */
interface Parts {
  settled: ExportResult
  readonly left: Set<OtlpPayload>
}

const nothingYet: ExportResult = { exported: 0 }

// A body of full batches of ordinary items; a larger one was an exception.
const maxSpareBytes = 512 * 1024

const add = (a: ExportResult, b: ExportResult): ExportResult => ({
  exported: a.exported + b.exported,
  rejected: sum(a.rejected, b.rejected),
  dropped: sum(a.dropped, b.dropped),
  ...a.spooled === undefined && b.spooled === undefined ? {} : { spooled: (a.spooled ?? 0) + (b.spooled ?? 0) }
})

const sum = <Reason extends string>(
  a: { readonly [K in Reason]?: number } | undefined,
  b: { readonly [K in Reason]?: number } | undefined
): { readonly [K in Reason]?: number } => {
  const total: { [K in Reason]?: number } = { ...a }
  for (const reason in b) total[reason] = (total[reason] ?? 0) + (b[reason] ?? 0)
  return total
}
