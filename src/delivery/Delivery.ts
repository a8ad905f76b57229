/**
 * How encoded bytes arrive: one `Delivery` for each destination, shared by every signal that goes there.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { sleepUnref } from "../internal/clock.ts"
import { gzip } from "../internal/gzip.ts"
import { Gate, nanos } from "./gate.ts"
import * as RequestHeaders from "./RequestHeaders.ts"
import * as Retry from "./Retry.ts"
import { ShutdownDeadline } from "./ShutdownDeadline.ts"
import { makeTarget, type Target } from "./target.ts"
import { Transport, type TransportRequest, type TransportResponse } from "./Transport.ts"

/** A request that got no final answer, or one that cannot be used. */
export class DeliveryError extends Data.TaggedError("DeliveryError")<{
  /** The destination, as in `otlp`. */
  readonly destination: string
  /**
   * `retry_exhausted`: still no final answer when the time for retries was over; `shutdown_timeout`: everything closes
   * before another attempt may be made; `export_error`: a failure that another attempt would not change, such as an
   * answer that is none.
   */
  readonly reason: "retry_exhausted" | "shutdown_timeout" | "export_error"
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
  /**
   * Sends credentials to another machine even over `http:`, where everybody on the way can read them. Default `false`:
   * such headers are left out, and that is reported.
   */
  readonly allowClearTextCredentials?: boolean | undefined
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

/** One URL of a destination. */
interface Route {
  readonly target: Target
  /** Closed by what was refused at this URL, and would not be at another. */
  readonly gate: Gate
  /** What was refused there last, `undefined` while data is accepted. */
  refusal: string | undefined
  failedAttempts: number
}

/** Until there is a final answer; once; or once and without regard to a backoff. */
type Sending = "retrying" | "once" | "now"

/** One destination. */
export interface Delivery {
  readonly name: string
  /** The server of a URL. */
  readonly addressOf: (url: string) => { readonly serverAddress?: string; readonly serverPort?: number }
  /** A text of the server, without what the configured headers hold. */
  readonly scrub: (text: string) => string
  /** Whether nobody looks at the body of a request any more once it has an answer. */
  readonly releasesBody: boolean
  /** How long one batch may be tried, from its first attempt, in milliseconds. */
  readonly maxAgeMillis: number
  /**
   * What went wrong with the last attempt, `undefined` once an answer came. With a URL, what was refused at another URL
   * does not count.
   */
  readonly failing: (url?: string) => string | undefined
  /**
   * Sends until the destination gives a final answer, which is any status but 429, 502, 503 and 504. Interruption aborts
   * the request.
   */
  readonly send: (request: DeliveryRequest) => Effect.Effect<TransportResponse, DeliveryError>
  /**
   * Sends once, for those who have a place to keep what fails. While the destination is left alone this fails at once.
   */
  readonly sendOnce: (request: DeliveryRequest) => Effect.Effect<TransportResponse, DeliveryError>
  /**
   * Sends once, now, whatever failed before, unless the destination asked to be left alone: to learn whether the destination accepts data. What comes of it counts as
   * of any other request.
   */
  readonly sendNow: (request: DeliveryRequest) => Effect.Effect<TransportResponse, DeliveryError>
  /** Whether the destination is left alone at present: after a failure, or because it asked for it. */
  readonly isPaused: (url: string) => boolean
  /** Completes when the destination may be tried again. Keeps no process alive. */
  readonly whenOpen: (url: string) => Effect.Effect<void>
}

/**
 * Makes the delivery to one destination.
 *
 * **Details**
 *
 * A retryable failure (see `Retry`) is repeated until `maxAge`. Failures are the destination's, not a batch's: each
 * closes one gate for all senders, for an exponential backoff with full jitter, and a `Retry-After` for as long as it
 * asks. After `breakerFailures` failures in a row one request at a time is let through, as a probe. Where the gate stays
 * closed beyond a batch's age, the batch is held to the end of it, so that younger ones keep their place. All delays
 * follow `Clock` and `Random`, and none keeps the process alive.
 *
 * A destination that refuses two requests in a row for a reason that only a change of configuration ends (401, 403, 407,
 * a refused certificate) is tried once in `probeInterval`. What is wrong with one URL only (404, 405, a redirect) closes
 * that URL in the same way, and no other. When everything closes (see `ShutdownDeadline`), no
 * backoff is waited for: what waits has one attempt at once, and is given up where there can be no other before the end.
 *
 * The first failure of a delivery after a success is one line in `Diagnostics`, the first success after a failure
 * another; what is kept back, since there was such a line within the minute, is said later if it is still true. Credentials are not sent over the network in clear text, which is reported once.
 */
export const make = Effect.fnUntraced(function*(
  options: DeliveryOptions
): Effect.fn.Return<Delivery, never, Transport> {
  const transport = yield* Transport
  const diagnostics = yield* Diagnostics
  const clock = yield* Clock.Clock
  const { allowClearTextCredentials = false, name } = options
  const headers = RequestHeaders.make(options.headers ?? {}, name, diagnostics)
  const policy = Retry.policy(options.retry)
  const timeout = Duration.toMillis(Duration.fromInputUnsafe(options.timeout ?? 10_000))
  const timeoutMillis = timeout > 0 ? timeout : Infinity
  const maxResponseBytes = options.maxResponseBytes ?? 4 * 1024 * 1024
  const routes = new Map<string, Route>()

  let scrub = headers.scrub
  const gate = new Gate(policy)
  let lastTrouble: string | undefined
  /** Whether there was a line about the present trouble. */
  let isTold = false
  /** Since it was said that the destination accepts data. */
  let failedAttempts = 0
  const end = yield* ShutdownDeadline
  end.hasten?.add(() => {
    gate.hasten()
    routes.forEach((route) => route.gate.hasten())
  })

  const routeOf = (url: string): Route => {
    const known = routes.get(url)
    if (known !== undefined) return known
    const made = makeTarget(url, headers, allowClearTextCredentials)
    const route: Route = { target: made, gate: new Gate(policy), refusal: undefined, failedAttempts: 0 }
    routes.set(url, route)
    const [scrubHeaders, scrubUrl] = [scrub, RequestHeaders.scrubber(made.secrets)]
    scrub = (text) => scrubUrl(scrubHeaders(text))
    if (made.withheld.length > 0) {
      diagnostics.report(
        "error",
        `delivery.${name}.clear_text`,
        `${name}: credentials (${
          made.withheld.join(", ")
        }) are not sent to ${made.host} in clear text: use https, or ` +
          "allow it with allowClearTextCredentials"
      )
    }
    return route
  }

  // Who asks (`sendNow`) is told, and tells; whoever has something to deliver does not know.
  const turnedBad = (host: string, detail: string, how: Sending, isFinal = false): void => {
    lastTrouble = `no delivery to ${host}: ${detail}`
    failedAttempts++
    if (!isTold && how !== "now") {
      const key = `delivery.${name}`
      // What is kept back as a repeat within the minute is said by the next failure.
      isTold = diagnostics.isSilenced?.(key) !== true
      const tried = isFinal ? "" : ", trying on"
      diagnostics.report("warn", key, `${name}: no delivery to ${host}${tried}: ${detail}`)
    }
  }

  const accepted = (route: Route): void => {
    const { host } = route.target
    gate.succeeded()
    route.gate.succeeded()
    lastTrouble = undefined
    route.refusal = undefined
    const attempts = failedAttempts + route.failedAttempts
    if (attempts === 0) return
    const key = `delivery.${name}.recovered`
    // What is kept back is said by the next success: the last line that is read must be true.
    if (diagnostics.isSilenced?.(key) !== true) {
      failedAttempts = 0
      route.failedAttempts = 0
      isTold = false
    }
    diagnostics.report("info", key, `${name}: ${host} accepts data again after ${attempts} failed attempts`)
  }

  const asked = (fiber: Fiber.Fiber<unknown, unknown>, now: bigint, response: TransportResponse): void => {
    const wall = Retry.parseHttpDate(response.headers["date"] ?? "") ??
      fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
    const retryAfter = Retry.parseRetryAfter(response.headers["retry-after"], wall)
    if (retryAfter !== undefined) gate.asked(now, retryAfter, random(fiber))
  }

  const gates = (route: Route): ReadonlyArray<Gate> => [gate, route.gate]
  const isOpen = (route: Route, now: bigint): boolean => gate.isOpen(now) && route.gate.isOpen(now)

  /** From `now` until both gates may open by themselves; `undefined` while that depends on the answer to a probe. */
  const closedFor = (route: Route, now: bigint): bigint | undefined => {
    const [all, own] = [gate.closedFor(now), route.gate.closedFor(now)]
    return all === undefined || own === undefined ? undefined : all > own ? all : own
  }

  const enter = (route: Route, now: bigint, insists: boolean): boolean => {
    // Both are asked before one is entered: who has to leave again would wake those that wait, and they this one.
    if (!gate.admits(now, insists) || !route.gate.admits(now, insists)) return false
    return gates(route).every((each) => each.enter(now, insists))
  }

  const leave = (route: Route): void => gates(route).forEach((each) => each.leave())

  /** Waits until the gates may have opened, and `most` nanoseconds at the most. */
  const atGate = (route: Route, now: bigint, most: bigint): Effect.Effect<void> => {
    const closed = closedFor(route, now)
    const changed = Effect.callback<void>((resume) => {
      const forget = gates(route).map((each) => each.onChange(() => resume(Effect.void)))
      return Effect.sync(() => forget.forEach((call) => call()))
    })
    return Effect.raceFirst(sleepNanos(closed === undefined || closed > most ? most : closed), changed)
  }

  // Plain functions over few effects, not generators: this runs once for each request, so seldom that the engine
  // compiles it late.
  const attempt = (
    route: Route,
    outgoing: TransportRequest,
    deadline: bigint,
    trouble: string,
    how: Sending
  ): Effect.Effect<TransportResponse, DeliveryError> =>
    Effect.withFiber((fiber) => {
      const time = (): bigint => fiber.getRef(Clock.Clock).monotonicTimeNanosUnsafe()
      const now = time()
      const { host } = route.target
      if (!enter(route, now, how === "now" || (how === "retrying" && now >= deadline))) {
        if (how !== "retrying") return unavailable(name, trouble)
        if (end.at !== undefined && now + (closedFor(route, now) ?? 0n) >= end.at) {
          return new DeliveryError({ destination: name, reason: "shutdown_timeout", detail: trouble })
        }
        return now >= deadline
          ? exhausted(name, policy, trouble)
          // Looked at again afterwards: another sender may have closed the gate anew.
          : Effect.andThen(atGate(route, now, deadline - now), attempt(route, outgoing, deadline, trouble, how))
      }
      const again = (trouble: string): Effect.Effect<TransportResponse, DeliveryError> => {
        turnedBad(host, trouble, how)
        if (how !== "retrying") return unavailable(name, trouble)
        return time() >= deadline
          ? exhausted(name, policy, trouble)
          : attempt(route, outgoing, deadline, trouble, how)
      }
      return Effect.matchEffect(Effect.onExit(transport.send(outgoing), leaveUnanswered(route)), {
        onSuccess: (response) => {
          const { status } = response
          if (Retry.isRetryableStatus(status)) {
            gate.failed(time(), random(fiber))
            route.gate.endRefusals()
            asked(fiber, time(), response)
            leave(route)
            return again(`HTTP ${status}`)
          }
          if (Retry.isConfigurationStatus(status)) {
            const [now, draw] = [time(), random(fiber)]
            route.gate.refused(now, draw)
            route.refusal = `no delivery to ${host}: HTTP ${status}`
            if (Retry.isAddressStatus(status)) route.failedAttempts++
            else {
              gate.refused(now, draw)
              lastTrouble = route.refusal
              failedAttempts++
            }
          } else if (status >= 200 && status < 300) accepted(route)
          leave(route)
          return Effect.succeed(response)
        },
        onFailure: (error) => {
          if (error.reason === "tls") gate.refused(time(), random(fiber), true)
          else gate.failed(time(), random(fiber))
          route.gate.endRefusals()
          leave(route)
          // A transport should quote no header, but it may be anybody's.
          const message = scrub(error.message)
          if (Retry.isRetryableError(error)) return again(message)
          turnedBad(host, message, how, true)
          return new DeliveryError({ destination: name, reason: "export_error", detail: message })
        }
      })
    })
  // With an answer it leaves once the gate knows what it was: whoever waits must not be faster.
  const leaveUnanswered = (route: Route) => (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
    Exit.isFailure(exit) && !Cause.hasFails(exit.cause) ? Effect.sync(() => leave(route)) : Effect.void

  const sendBody = (
    request: DeliveryRequest,
    body: Uint8Array,
    isGzip: boolean,
    how: Sending
  ): Effect.Effect<TransportResponse, DeliveryError> => {
    const route = routeOf(request.url)
    const { headers, host, trouble, url } = route.target
    if (trouble !== undefined) {
      const detail = trouble
      turnedBad(host, detail, how, true)
      return new DeliveryError({ destination: name, reason: "export_error", detail })
    }
    const outgoing = {
      url,
      headers: {
        ...headers,
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
      return attempt(
        route,
        outgoing,
        deadline,
        lastTrouble ?? route.refusal ?? "the destination asked for a pause",
        how
      )
    })
  }

  const sendAs = (how: Sending) => (request: DeliveryRequest): Effect.Effect<TransportResponse, DeliveryError> =>
    options.compression === "gzip"
      ? Effect.flatMap(
        gzip(request.body),
        (compressed) => sendBody(request, compressed ?? request.body, compressed !== undefined, how)
      )
      : sendBody(request, request.body, false, how)

  const delivery: Delivery = {
    name,
    addressOf: (url) => routeOf(url).target.address,
    scrub: (text) => scrub(text),
    releasesBody: transport.releasesBody === true,
    maxAgeMillis: policy.maxAgeMillis,
    failing: (url) =>
      lastTrouble ?? (url === undefined
        ? [...routes.values()].find(({ refusal }) => refusal !== undefined)?.refusal
        : routes.get(url)?.refusal),
    send: sendAs("retrying"),
    sendOnce: sendAs("once"),
    sendNow: sendAs("now"),
    isPaused: (url) => !isOpen(routeOf(url), clock.monotonicTimeNanosUnsafe()),
    whenOpen: (url) =>
      Effect.suspend(() => {
        const now = clock.monotonicTimeNanosUnsafe()
        const route = routeOf(url)
        return isOpen(route, now)
          ? Effect.void
          : Effect.andThen(atGate(route, now, nanos(Infinity)), delivery.whenOpen(url))
      })
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

// Whole milliseconds: a clock that counts in them must not see a sleep of nothing.
const sleepNanos = (time: bigint): Effect.Effect<void> => sleepUnref(Math.ceil(Number(time) / 1e6))
const random = (fiber: Fiber.Fiber<unknown, unknown>): number => fiber.getRef(Random.Random).nextDoubleUnsafe()
