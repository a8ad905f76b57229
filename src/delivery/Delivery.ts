/**
 * How encoded bytes arrive: one `Delivery` for each destination, shared by every signal that goes there.
 */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { sleepUnref } from "../internal/clock.ts"
import { gzip } from "../internal/gzip.ts"
import { decode } from "../internal/percent.ts"
import * as RequestHeaders from "./RequestHeaders.ts"
import * as Retry from "./Retry.ts"
import { Transport, type TransportResponse } from "./Transport.ts"

/** A request that got no final answer, or one that cannot be used. */
export class DeliveryError extends Data.TaggedError("DeliveryError")<{
  /** The destination, as in `otlp`. */
  readonly destination: string
  /**
   * `retry_exhausted`: still no final answer when the time for retries was over; `export_error`: a failure that another
   * attempt would not change, such as a refused certificate.
   */
  readonly reason: "retry_exhausted" | "export_error"
  readonly detail: string
}> {
  override get message(): string {
    return `${this.destination}: ${this.detail} (${this.reason})`
  }
}

/** Options of {@link make}. */
export interface DeliveryOptions {
  /** Short name of the destination, used in diagnostics and errors. */
  readonly name: string
  /** Sent with every request; they win over the library's own `User-Agent`. Default none. */
  readonly headers?: RequestHeaders.HeaderInput | undefined
  /** Default `none`. */
  readonly compression?: "gzip" | "none" | undefined
  /**
   * Bound on one attempt, from connect to the last byte of the answer (`OTEL_EXPORTER_OTLP_TIMEOUT`). Zero means none.
   * Default 10 seconds.
   */
  readonly timeout?: Duration.Input | undefined
  /** How a failed attempt is repeated, and for how long. */
  readonly retry?: Retry.RetryOptions | undefined
  /** Largest accepted answer after decompression, in bytes. Default 4 MiB. */
  readonly maxResponseBytes?: number | undefined
}

/** One body on its way to a destination. */
export interface DeliveryRequest {
  /** An absolute `http:` or `https:` URL. User and password become an `Authorization` header unless one is configured. */
  readonly url: string
  readonly contentType: string
  readonly body: Uint8Array
  /**
   * When the batch was first sent, in monotonic nanoseconds of `Clock`, where a batch takes several requests: its age
   * counts against `maxAge`. Default now.
   */
  readonly since?: bigint | undefined
}

/** One destination. */
export interface Delivery {
  readonly name: string
  /** A text of the server, without what the configured headers hold. */
  readonly scrub: (text: string) => string
  /** How long one batch may be tried, from its first attempt, in milliseconds. */
  readonly maxAgeMillis: number
  /** What went wrong with the last attempt, `undefined` once an answer came. */
  readonly failing: () => string | undefined
  /**
   * Sends until the destination gives a final answer, which is any status but 429, 502, 503 and 504. Interruption aborts
   * the request.
   */
  readonly send: (request: DeliveryRequest) => Effect.Effect<TransportResponse, DeliveryError>
}

/**
 * Makes the delivery to one destination.
 *
 * **Details**
 *
 * A retryable failure (see `Retry`) is repeated after exponential backoff with full jitter until `maxAge`. A
 * `Retry-After` closes the gate of the whole destination: no request of any sender passes before it opens. Where the gate
 * stays closed beyond a batch's age, the batch is held to the end of it, so that younger ones keep their place. All
 * delays follow `Clock` and `Random`, and none keeps the process alive.
 *
 * The first failure after a success is one line in `Diagnostics`, the first success after a failure another. Credentials
 * that would cross the network in clear text are reported once.
 */
export const make = Effect.fnUntraced(function*(
  options: DeliveryOptions
): Effect.fn.Return<Delivery, never, Transport> {
  const transport = yield* Transport
  const diagnostics = yield* Diagnostics
  const { name } = options
  const headers = RequestHeaders.make(options.headers ?? {}, name, diagnostics)
  const policy = Retry.policy(options.retry)
  const timeout = Duration.toMillis(Duration.fromInputUnsafe(options.timeout ?? 10_000))
  const timeoutMillis = timeout > 0 ? timeout : Infinity
  const maxResponseBytes = options.maxResponseBytes ?? 4 * 1024 * 1024
  const targets = new Map<string, Target>()

  /** Monotonic nanoseconds at which the gate opens. */
  let gate = 0n
  /** Failed attempts since the last success. */
  let failures = 0
  let lastTrouble: string | undefined

  const target = (url: string): Target => {
    const known = targets.get(url)
    if (known !== undefined) return known
    const made = makeTarget(url, headers)
    targets.set(url, made)
    if (made.clearTextSecrets.length > 0) {
      diagnostics.report(
        "warn",
        `delivery.${name}.clear_text`,
        `${name}: credentials (${made.clearTextSecrets.join(", ")}) are sent to ${made.host} in clear text; use https`
      )
    }
    return made
  }

  const turnedBad = (host: string, detail: string): void => {
    failures++
    lastTrouble = `no delivery to ${host}: ${detail}`
    if (failures === 1) {
      diagnostics.report("warn", `delivery.${name}`, `${name}: no delivery to ${host}, trying on: ${detail}`)
    }
  }

  const answered = (host: string, status: number): void => {
    if (status < 200 || status > 299 || failures === 0) return
    diagnostics.report(
      "info",
      `delivery.${name}.recovered`,
      `${name}: ${host} accepts data again after ${failures} failed attempts`
    )
    failures = 0
    lastTrouble = undefined
  }

  const closeGate = Effect.fnUntraced(function*(response: TransportResponse) {
    const wall = Retry.parseHttpDate(response.headers["date"] ?? "") ?? (yield* Clock.currentTimeMillis)
    const retryAfter = Retry.parseRetryAfter(response.headers["retry-after"], wall)
    if (retryAfter === undefined) return
    const until = (yield* Clock.monotonicTimeNanos) +
      nanos(Retry.gateMillis(policy, retryAfter, yield* Random.next))
    if (until > gate) gate = until
  })

  const send = Effect.fnUntraced(function*(
    request: DeliveryRequest
  ): Effect.fn.Return<TransportResponse, DeliveryError> {
    const { authorization, host, url } = target(request.url)
    if (url === "") {
      const detail = "the URL is not an absolute http: or https: URL"
      turnedBad(host, detail)
      return yield* new DeliveryError({ destination: name, reason: "export_error", detail })
    }
    const compressed = options.compression === "gzip" ? yield* gzip(request.body) : undefined
    const outgoing = {
      url,
      headers: {
        ...authorization,
        ...headers.values,
        "content-type": request.contentType,
        ...(compressed === undefined ? {} : { "content-encoding": "gzip" })
      },
      body: compressed ?? request.body,
      timeoutMillis,
      maxResponseBytes
    }
    const deadline = (request.since ?? (yield* Clock.monotonicTimeNanos)) + nanos(policy.maxAgeMillis)
    let trouble = "the destination asked for a pause"

    for (let attempt = 0;; attempt++) {
      // A gate may be closed again by another sender while this one sleeps.
      for (let now = yield* Clock.monotonicTimeNanos; now < gate; now = yield* Clock.monotonicTimeNanos) {
        if (now >= deadline) return yield* exhausted(name, policy, trouble)
        yield* sleepNanos(min(gate, deadline) - now)
      }
      const response = yield* Effect.result(transport.send(outgoing))
      if (response._tag === "Success") {
        const { status } = response.success
        if (!Retry.isRetryableStatus(status)) {
          answered(host, status)
          return response.success
        }
        trouble = `HTTP ${status}`
        yield* closeGate(response.success)
      } else {
        trouble = response.failure.message
      }
      turnedBad(host, trouble)
      if (response._tag === "Failure" && !Retry.isRetryableError(response.failure)) {
        return yield* new DeliveryError({ destination: name, reason: "export_error", detail: trouble })
      }
      const left = deadline - (yield* Clock.monotonicTimeNanos)
      if (left <= 0n) return yield* exhausted(name, policy, trouble)
      const delay = nanos(Retry.backoffMillis(policy, attempt, yield* Random.next))
      yield* sleepNanos(min(delay, left))
    }
  })

  const delivery: Delivery = {
    name,
    scrub: headers.scrub,
    maxAgeMillis: policy.maxAgeMillis,
    failing: () => lastTrouble,
    send
  }
  return delivery
})

const exhausted = (destination: string, policy: Retry.RetryPolicy, trouble: string): DeliveryError =>
  new DeliveryError({
    destination,
    reason: "retry_exhausted",
    detail: `not delivered within ${policy.maxAgeMillis / 1_000} s, last: ${trouble}`
  })

// Beyond any process lifetime, and still a safe duration.
const maxMillis = 1e12
const nanos = (millis: number): bigint => BigInt(Math.round(Math.min(millis, maxMillis) * 1e6))
// Whole milliseconds: a clock that counts in them must not see a sleep of nothing.
const sleepNanos = (time: bigint): Effect.Effect<void> => sleepUnref(Math.ceil(Number(time) / 1e6))
const min = (a: bigint, b: bigint): bigint => a < b ? a : b

interface Target {
  /** Without user and password; empty where the configured one cannot be used. */
  readonly url: string
  readonly host: string
  readonly authorization: Readonly<Record<string, string>>
  readonly clearTextSecrets: ReadonlyArray<string>
}

const makeTarget = (url: string, headers: RequestHeaders.RequestHeaders): Target => {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== "http:" && parsed?.protocol !== "https:") {
    return { url: "", host: "an invalid URL", authorization: {}, clearTextSecrets: [] }
  }
  const hasUser = parsed.username !== "" || parsed.password !== ""
  const authorization: Record<string, string> = hasUser
    ? { authorization: `Basic ${basic(parsed.username, parsed.password)}` }
    : {}
  parsed.username = ""
  parsed.password = ""
  const secrets = new Set([...Object.keys(authorization), ...headers.secretNames])
  const isClear = parsed.protocol === "http:" && !RequestHeaders.isLoopback(parsed.hostname)
  return { url: parsed.href, host: parsed.host, authorization, clearTextSecrets: isClear ? [...secrets] : [] }
}

const basic = (user: string, password: string): string => {
  const bytes = new TextEncoder().encode(`${decode(user)}:${decode(password)}`)
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
}
