/**
 * How encoded bytes arrive: one `Delivery` for each destination, shared by every signal that goes there.
 */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { sleepUnref } from "../internal/clock.ts"
import { gzip } from "../internal/gzip.ts"
import { decode } from "../internal/percent.ts"
import * as RequestHeaders from "./RequestHeaders.ts"
import * as Retry from "./Retry.ts"
import { Transport, type TransportRequest, type TransportResponse } from "./Transport.ts"

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
  /**
   * Sends once, for those who have a place to keep what fails. After a failure worth another attempt the whole destination
   * is left alone for the time of the backoff: until {@link pauseMillis} is over, this fails at once.
   */
  readonly sendOnce: (request: DeliveryRequest) => Effect.Effect<TransportResponse, DeliveryError>
  /** For how long the destination is left alone from now on, in milliseconds. */
  readonly pauseMillis: () => number
  /** Leaves the destination alone for a minute: it refuses what only a change of configuration has it accept. */
  readonly leaveAlone: () => void
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
  const clock = yield* Clock.Clock
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

  const closeGate = (fiber: Fiber.Fiber<unknown, unknown>, response: TransportResponse): void => {
    const clock = fiber.getRef(Clock.Clock)
    const wall = Retry.parseHttpDate(response.headers["date"] ?? "") ?? clock.currentTimeMillisUnsafe()
    const retryAfter = Retry.parseRetryAfter(response.headers["retry-after"], wall)
    if (retryAfter === undefined) return
    const until = clock.monotonicTimeNanosUnsafe() + nanos(Retry.gateMillis(policy, retryAfter, random(fiber)))
    if (until > gate) gate = until
  }

  // Plain functions over few effects, not generators: this runs once for each request, so seldom that the engine
  // compiles it late.
  const attempt = (
    host: string,
    outgoing: TransportRequest,
    deadline: bigint,
    number: number,
    trouble: string,
    isOnce = false
  ): Effect.Effect<TransportResponse, DeliveryError> =>
    Effect.withFiber((fiber) => {
      const now = fiber.getRef(Clock.Clock).monotonicTimeNanosUnsafe()
      if (now < gate) {
        // Looked at again afterwards: another sender may have closed the gate anew.
        if (isOnce) return unavailable(name, trouble)
        return now >= deadline
          ? exhausted(name, policy, trouble)
          : Effect.andThen(sleepNanos(min(gate, deadline) - now), attempt(host, outgoing, deadline, number, trouble))
      }
      const again = (trouble: string): Effect.Effect<TransportResponse, DeliveryError> => {
        turnedBad(host, trouble)
        if (isOnce) {
          const after = fiber.getRef(Clock.Clock).monotonicTimeNanosUnsafe()
          const until = after + nanos(Retry.backoffMillis(policy, failures - 1, 0.5 + random(fiber) / 2))
          if (until > gate) gate = until
          return unavailable(name, trouble)
        }
        const left = deadline - fiber.getRef(Clock.Clock).monotonicTimeNanosUnsafe()
        if (left <= 0n) return exhausted(name, policy, trouble)
        const delay = nanos(Retry.backoffMillis(policy, number, random(fiber)))
        return Effect.andThen(
          sleepNanos(min(delay, left)),
          attempt(host, outgoing, deadline, number + 1, trouble)
        )
      }
      return Effect.matchEffect(transport.send(outgoing), {
        onSuccess: (response) => {
          if (Retry.isRetryableStatus(response.status)) {
            closeGate(fiber, response)
            return again(`HTTP ${response.status}`)
          }
          answered(host, response.status)
          return Effect.succeed(response)
        },
        onFailure: (error) => {
          if (Retry.isRetryableError(error)) return again(error.message)
          turnedBad(host, error.message)
          if (isOnce) gate = fiber.getRef(Clock.Clock).monotonicTimeNanosUnsafe() + nanos(slowProbeMillis)
          return new DeliveryError({ destination: name, reason: "export_error", detail: error.message })
        }
      })
    })

  const sendBody = (
    request: DeliveryRequest,
    body: Uint8Array,
    isGzip: boolean,
    isOnce: boolean
  ): Effect.Effect<TransportResponse, DeliveryError> => {
    const { authorization, host, url } = target(request.url)
    if (url === "") {
      const detail = "the URL is not an absolute http: or https: URL"
      turnedBad(host, detail)
      return new DeliveryError({ destination: name, reason: "export_error", detail })
    }
    const outgoing = {
      url,
      headers: {
        ...authorization,
        ...headers.values,
        "content-type": request.contentType,
        ...(isGzip ? { "content-encoding": "gzip" } : {})
      },
      body,
      timeoutMillis,
      maxResponseBytes
    }
    return Effect.withFiber((fiber) => {
      const since = request.since ?? fiber.getRef(Clock.Clock).monotonicTimeNanosUnsafe()
      const deadline = since + nanos(policy.maxAgeMillis)
      return attempt(host, outgoing, deadline, 0, lastTrouble ?? "the destination asked for a pause", isOnce)
    })
  }

  const sendAs = (isOnce: boolean) => (request: DeliveryRequest): Effect.Effect<TransportResponse, DeliveryError> =>
    options.compression === "gzip"
      ? Effect.flatMap(
        gzip(request.body),
        (compressed) => sendBody(request, compressed ?? request.body, compressed !== undefined, isOnce)
      )
      : sendBody(request, request.body, false, isOnce)

  const delivery: Delivery = {
    name,
    scrub: headers.scrub,
    maxAgeMillis: policy.maxAgeMillis,
    failing: () => lastTrouble,
    send: sendAs(false),
    sendOnce: sendAs(true),
    leaveAlone: () => {
      gate = clock.monotonicTimeNanosUnsafe() + nanos(slowProbeMillis)
    },
    pauseMillis: () => Math.max(0, Number(gate - clock.monotonicTimeNanosUnsafe()) / 1e6)
  }
  return delivery
})

const exhausted = (destination: string, policy: Retry.RetryPolicy, trouble: string): DeliveryError =>
  new DeliveryError({
    destination,
    reason: "retry_exhausted",
    detail: `not delivered within ${policy.maxAgeMillis / 1_000} s, last: ${trouble}`
  })

const unavailable = (destination: string, trouble: string): DeliveryError =>
  new DeliveryError({ destination, reason: "retry_exhausted", detail: trouble })

/** How long a destination is left alone that fails for a reason that only a change of configuration ends. */
const slowProbeMillis = 60_000

// Beyond any process lifetime, and still a safe duration.
const maxMillis = 1e12
const nanos = (millis: number): bigint => BigInt(Math.round(Math.min(millis, maxMillis) * 1e6))
// Whole milliseconds: a clock that counts in them must not see a sleep of nothing.
const sleepNanos = (time: bigint): Effect.Effect<void> => sleepUnref(Math.ceil(Number(time) / 1e6))
const random = (fiber: Fiber.Fiber<unknown, unknown>): number => fiber.getRef(Random.Random).nextDoubleUnsafe()
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
