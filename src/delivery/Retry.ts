/**
 * When a failed request is sent again, and how much later: pure functions, so that every rule is a test.
 *
 * **Details**
 *
 * Follows the OTLP specification (`opentelemetry-proto/docs/specification.md#failures`, `specification/protocol/exporter.md
 * #retry`): 429, 502, 503, 504, a failed connection and a missing answer are worth another attempt; every other status
 * is final.
 */
import * as Duration from "effect/Duration"
import type { TransportError } from "./Transport.ts"

/** How a destination is tried again. */
export interface RetryPolicy {
  /** Upper bound of the first delay, in milliseconds; it doubles with each attempt. Default 1,000. */
  readonly baseMillis: number
  /** Upper bound of any backoff delay, in milliseconds. Default 30,000. */
  readonly maxBackoffMillis: number
  /** Longest `Retry-After` that is obeyed, in milliseconds; a longer one is cut to it. Default 600,000. */
  readonly maxRetryAfterMillis: number
  /** How long a batch is tried, from its first attempt, in milliseconds. Default 300,000. */
  readonly maxAgeMillis: number
  /** Failures in a row after which a destination counts as down. Default 5. */
  readonly breakerFailures: number
  /** Upper bound between two probes of a destination that is down or refuses everything, in milliseconds. Default 60,000. */
  readonly probeIntervalMillis: number
}

/** Options of {@link policy}. */
export interface RetryOptions {
  /** Upper bound of the first delay; it doubles with each attempt. Default 1 second. */
  readonly base?: Duration.Input | undefined
  /** Upper bound of any backoff delay. Default 30 seconds. */
  readonly maxBackoff?: Duration.Input | undefined
  /** Longest `Retry-After` that is obeyed; a longer one is cut to it. Default 10 minutes. */
  readonly maxRetryAfter?: Duration.Input | undefined
  /** How long a batch is tried, from its first attempt. Default 5 minutes. */
  readonly maxAge?: Duration.Input | undefined
  /**
   * Failures in a row after which the destination counts as down: one request at a time is sent then, as a probe. Default 5.
   */
  readonly breakerFailures?: number | undefined
  /**
   * Longest pause between two probes of a destination that is down, and about the pause after it refused two requests in
   * a row for a reason that only a change of configuration ends. Default 1 minute.
   */
  readonly probeInterval?: Duration.Input | undefined
}

const millis = (input: Duration.Input | undefined, fallback: number): number =>
  input === undefined ? fallback : Math.max(0, Duration.toMillis(Duration.fromInputUnsafe(input)))

/** A policy from options, with the defaults for what is left out. */
export const policy = (options?: RetryOptions): RetryPolicy => ({
  baseMillis: millis(options?.base, 1_000),
  maxBackoffMillis: millis(options?.maxBackoff, 30_000),
  maxRetryAfterMillis: millis(options?.maxRetryAfter, 600_000),
  maxAgeMillis: millis(options?.maxAge, 300_000),
  breakerFailures: Math.max(1, Math.trunc(options?.breakerFailures ?? 5) || 1),
  probeIntervalMillis: millis(options?.probeInterval, 60_000)
})

/** Whether a request answered with `status` may be sent again. */
export const isRetryableStatus = (status: number): boolean =>
  status === 429 || status === 502 || status === 503 || status === 504

/** Whether a request that failed with `error` may be sent again: no answer came that could be final. */
export const isRetryableError = (error: TransportError): boolean => error.reason !== "response"

/**
 * Whether a change of the configuration, here or there, would have the same request accepted: credentials, address, a
 * proxy or a redirect on the way.
 */
export const isConfigurationStatus = (status: number): boolean =>
  status === 401 || status === 403 || status === 404 || status === 405 || status === 407 ||
  (status >= 300 && status < 400 && status !== 304)

/**
 * Whether such a refusal is about the address of the request, and says nothing of what the same server does at another:
 * a missing path, a method that is not taken, a redirect. Credentials are the server's.
 */
export const isAddressStatus = (status: number): boolean =>
  isConfigurationStatus(status) && status !== 401 && status !== 403 && status !== 407

// asctime is the one date format of RFC 9110 that does not name its zone, which is GMT all the same.
const asctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/
const httpDate = /^[A-Z][a-z]{2,8}, \d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} \d{2}:\d{2}:\d{2} GMT$/

/** Milliseconds since the Unix epoch of an HTTP date (RFC 9110 §5.6.7, all three formats), or `undefined`. */
export const parseHttpDate = (text: string): number | undefined => {
  const at = httpDate.test(text) ? Date.parse(text) : asctime.test(text) ? Date.parse(`${text} GMT`) : NaN
  return Number.isNaN(at) ? undefined : at
}

/**
 * The delay a `Retry-After` header asks for, in milliseconds, or `undefined` when it is absent or not valid.
 *
 * **Details**
 *
 * Whole seconds or an HTTP date. `nowMillis` is the server's idea of now where its `Date` header tells it, so that a
 * skewed clock on either side does not matter. A date that has passed is 0.
 */
export const parseRetryAfter = (text: string | undefined, nowMillis: number): number | undefined => {
  if (text === undefined) return undefined
  const value = text.trim()
  if (/^\d{1,15}$/.test(value)) return Number(value) * 1_000
  const at = parseHttpDate(value)
  return at === undefined ? undefined : Math.max(0, at - nowMillis)
}

/**
 * Exponential backoff with full jitter: between nothing and `base * 2^attempt`, capped. `random` lies in [0, 1);
 * `attempt` counts from 0.
 */
export const backoffMillis = (policy: RetryPolicy, attempt: number, random: number): number =>
  random * Math.min(policy.maxBackoffMillis, policy.baseMillis * 2 ** attempt)

/**
 * The pause before the next probe of a destination that is down: as the backoff, but never less than `base`, and up to
 * the probe interval. `attempt` counts from 0.
 */
export const probeMillis = (policy: RetryPolicy, attempt: number, random: number): number => {
  const least = Math.min(policy.baseMillis, policy.probeIntervalMillis)
  const most = Math.min(policy.probeIntervalMillis, policy.baseMillis * 2 ** attempt)
  return least + random * (most - least)
}

/** The pause between two probes of a destination that refuses everything: the probe interval, give or take a fifth. */
export const slowProbeMillis = (policy: RetryPolicy, random: number): number =>
  policy.probeIntervalMillis * (0.8 + 0.4 * random)

/**
 * How long the destination is left alone after it asked for `retryAfterMillis`: what it asked for within the policy's
 * bound, and up to a fifth more, so that its clients do not all come back at once.
 */
export const gateMillis = (policy: RetryPolicy, retryAfterMillis: number, random: number): number =>
  Math.min(Math.max(retryAfterMillis, 0), policy.maxRetryAfterMillis) * (1 + 0.2 * random)
