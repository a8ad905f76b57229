/**
 * How the `Exit` of an effect becomes a span's status, and what is recorded of its causes.
 *
 * **Details**
 *
 * A success leaves the status `UNSET`, as the specification asks of instrumentation (`trace/api.md#set-status`). A
 * failure or defect sets `ERROR`, with the first one's message, and the attribute `error.type`; each failure and defect
 * of the cause becomes one `exception` event with type, message, stack trace, and the fields of a tagged error as
 * `exception.field.<name>`. An interruption without any failure leaves the status `UNSET` and sets
 * `effect.fiber.interrupted`, since losing a race is no error; `interrupt: "ERROR"` changes that.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import { normalize } from "../internal/normalize.ts"
import type { StatusCode } from "../model/ReadableSpan.ts"

/** A user's judgement of one failure or success value. */
export interface Verdict {
  readonly status: StatusCode
  /** Status message; default the error's own, for `ERROR`. */
  readonly message?: string | undefined
  /** Whether the failure is recorded as an `exception` event. Default: when the status is `ERROR`. */
  readonly record?: boolean | undefined
  /** Attributes added to the span. */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
}

/** How exits are judged. Every function may return `undefined` for the default. */
export interface OutcomePolicy {
  /** Judges a typed failure, for example an expected "not found". */
  readonly failure?: ((error: unknown) => Verdict | undefined) | undefined
  /** Judges a success value, for example an HTTP response with status 500. */
  readonly success?: ((value: unknown) => Verdict | undefined) | undefined
  /** Status of a span that was interrupted without failing. Default `"UNSET"`. */
  readonly interrupt?: "UNSET" | "ERROR" | undefined
}

/** A failure that is expected and no error: status `UNSET`, not recorded. */
export const expected: Verdict = { status: "UNSET", record: false }

/** An error with `message`. */
export const error = (message: string, attributes?: Readonly<Record<string, unknown>>): Verdict => ({
  status: "ERROR",
  message,
  attributes
})

/** The policy that a tracer layer uses. Default: no user judgement. */
export const OutcomePolicy: Context.Reference<OutcomePolicy> = Context.Reference<OutcomePolicy>(
  "effect-telemetry/tracing/OutcomePolicy",
  { defaultValue: () => ({}) }
)

/** What a span lets its outcome do. */
export interface OutcomeTarget {
  readonly statusCode: StatusCode
  attribute(key: string, value: unknown): void
  setStatus(code: StatusCode, message?: string): void
  addException(timeUnixNano: bigint, attributes: Readonly<Record<string, unknown>>): void
}

const text = (value: unknown): string | undefined => typeof value === "string" && value !== "" ? value : undefined

/** A failure's type: the `_tag` of a tagged error, else its `name`, else its constructor or primitive type. */
export const typeOf = (failure: unknown): string => {
  if (typeof failure !== "object" || failure === null) return failure === null ? "null" : typeof failure
  const { _tag, constructor, name } = failure as { _tag?: unknown; name?: unknown; constructor?: { name?: unknown } }
  return text(_tag) ?? text(name) ?? text(constructor?.name) ?? "object"
}

/** A failure's message, never empty: its `message`, else its fields, else its type. */
export const messageOf = (failure: unknown): string => {
  if (typeof failure === "object" && failure !== null) {
    const message = text((failure as { message?: unknown }).message)
    if (message !== undefined) return message
    const fields = Object.entries(fieldsOf(failure))
    if (fields.length > 0) {
      const list = fields.map(([key, value]) => `${key}: ${display(normalize(value, 256, 4))}`).join(", ")
      return `${typeOf(failure)} { ${list} }`
    }
    return typeOf(failure)
  }
  return text(typeof failure === "symbol" ? failure.toString() : `${failure as string}`) ?? typeOf(failure)
}

const display = (value: unknown): string =>
  typeof value === "string"
    ? JSON.stringify(value)
    : JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? String(inner) : inner) ?? "undefined"

const notFields = new Set(["_tag", "name", "message", "stack", "cause"])

const fieldsOf = (failure: object): Record<string, unknown> => {
  const fields: Record<string, unknown> = {}
  for (const key of Object.keys(failure)) {
    if (!notFields.has(key)) fields[key] = (failure as Record<string, unknown>)[key]
  }
  return fields
}

/** The attributes of the `exception` event of one failure or defect (semantic conventions, `exception.*`). */
export const exceptionAttributes = (failure: unknown, stack: string | undefined): Record<string, unknown> => {
  const attributes: Record<string, unknown> = {
    "exception.type": typeOf(failure),
    "exception.message": messageOf(failure)
  }
  if (stack !== undefined) attributes["exception.stacktrace"] = stack
  // Only errors that declare themselves as data have fields worth telling.
  if (typeof failure === "object" && failure !== null && "_tag" in failure) {
    const fields = fieldsOf(failure)
    for (const key in fields) attributes[`exception.field.${key}`] = fields[key]
  }
  return attributes
}

/** {@link exceptionAttributes} of a caught error with its own stack. Never throws. */
export const describeException = (failure: unknown): Record<string, unknown> => {
  try {
    const stack = typeof failure === "object" && failure !== null ? (failure as { stack?: unknown }).stack : undefined
    return exceptionAttributes(failure, text(stack))
  } catch {
    return { "exception.type": "unknown", "exception.message": "an error that cannot be described" }
  }
}

const applyVerdict = (target: OutcomeTarget, verdict: Verdict, message: string): void => {
  if (verdict.status !== "UNSET") target.setStatus(verdict.status, verdict.message ?? message)
  if (verdict.attributes !== undefined) {
    for (const key of Object.keys(verdict.attributes)) target.attribute(key, verdict.attributes[key])
  }
}

const applyCause = (
  target: OutcomeTarget,
  cause: Cause.Cause<unknown>,
  timeUnixNano: bigint,
  policy: OutcomePolicy
): void => {
  const failures = cause.reasons.filter((reason) => reason._tag !== "Interrupt")
  if (cause.reasons.length > failures.length) target.attribute("effect.fiber.interrupted", true)
  if (failures.length === 0) {
    if (policy.interrupt === "ERROR" && cause.reasons.length > 0) target.setStatus("ERROR", "interrupted")
    return
  }
  let stacks: ReadonlyArray<Error> | undefined
  let judged = false
  for (let i = 0; i < failures.length; i++) {
    const reason = failures[i]!
    const failure = reason._tag === "Fail" ? reason.error : reason.defect
    const verdict = (reason._tag === "Fail" ? policy.failure?.(failure) : undefined) ?? { status: "ERROR" }
    const message = messageOf(failure)
    if (!judged) {
      applyVerdict(target, verdict, message)
      if (verdict.status === "ERROR") {
        judged = true
        target.attribute("error.type", typeOf(failure))
      }
    }
    if (verdict.record ?? verdict.status === "ERROR") {
      stacks ??= Cause.prettyErrors(cause, { includeCauseInStack: true })
      target.addException(timeUnixNano, exceptionAttributes(failure, stacks[i]?.stack))
    }
  }
}

/**
 * Writes the outcome of `exit` on a span that is about to end.
 *
 * **Details**
 *
 * Never throws: where a user's policy or a hostile error object does, the status is `ERROR` with what could be learned.
 * A status that the program set itself stays.
 */
export const apply = (
  target: OutcomeTarget,
  exit: Exit.Exit<unknown, unknown>,
  timeUnixNano: bigint,
  policy: OutcomePolicy
): void => {
  if (exit._tag === "Success" && policy.success === undefined) return
  try {
    if (exit._tag === "Success") {
      const verdict = policy.success!(exit.value)
      if (verdict !== undefined) applyVerdict(target, verdict, "")
    } else {
      applyCause(target, exit.cause, timeUnixNano, policy)
    }
  } catch (thrown) {
    target.setStatus("ERROR", "the outcome of this span could not be described")
    target.attribute("error.type", "OutcomeError")
    target.attribute("effect.outcome.error", normalize(thrown, 256, 2))
  }
}
