/** From what Effect 3 says of how an effect ended, and of values, to what Effect 4 says. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import type { Cause3, Exit3, Option3 } from "./structures.ts"

/**
 * The reasons of a cause, in order. A cause is a tree in Effect 3; which of its parts ran after each other, and which at
 * once, no span has ever told. An interruption beside a failure that ran at once with it is left out, as Effect 4 leaves
 * it out: it is what the failure did to the others.
 */
const reasonsOf = (cause: Cause3): ReadonlyArray<Cause.Reason<unknown>> => {
  const reasons: Array<Cause.Reason<unknown>> = []
  const besides = new Set<Cause.Reason<unknown>>()
  let isFailed = false
  const left: Array<{ readonly cause: Cause3; readonly isBeside: boolean }> = [{ cause, isBeside: false }]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { cause, isBeside } = next
    switch (cause._tag) {
      case "Fail":
        isFailed = true
        reasons.push(Cause.makeFailReason(original(cause.error)))
        break
      case "Die":
        isFailed = true
        reasons.push(Cause.makeDieReason(original(cause.defect)))
        break
      case "Interrupt": {
        const reason = Cause.makeInterruptReason(cause.fiberId.id)
        reasons.push(reason)
        if (isBeside) besides.add(reason)
        break
      }
      case "Sequential":
        left.push({ cause: cause.right, isBeside }, { cause: cause.left, isBeside })
        break
      case "Parallel":
        left.push({ cause: cause.right, isBeside: true }, { cause: cause.left, isBeside: true })
    }
  }
  return isFailed && besides.size > 0 ? reasons.filter((reason) => !besides.has(reason)) : reasons
}

const originalSymbol = Symbol.for("effect/OriginalAnnotation")

// Effect 3 hides an error that was made within a span behind a proxy that knows the span.
const original = (error: unknown): unknown =>
  typeof error === "object" && error !== null && originalSymbol in error ? error[originalSymbol] : error

/** An exit of Effect 3 as one of Effect 4. Never throws. */
export const toExit = (exit: Exit3): Exit.Exit<unknown, unknown> => {
  try {
    return exit._tag === "Success"
      ? Exit.succeed(exit.value)
      : Exit.failCause(Cause.fromReasons(reasonsOf(exit.cause)))
  } catch {
    return Exit.die(new Error("how this effect ended cannot be read"))
  }
}

const optionType = Symbol.for("effect/Option")
const durationType = Symbol.for("effect/Duration")

type Duration3 = { readonly value: { readonly _tag: string; readonly millis?: number; readonly nanos?: bigint } }

/** The value of an attribute: an `Option` as what it holds and a `Duration` as Effect 4's. Never throws. */
export const toValue = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value
  try {
    if (optionType in value) {
      const option = value as unknown as Option3<unknown>
      return option._tag === "Some" ? toValue(option.value) : undefined
    }
    if (durationType in value) {
      const { millis, nanos } = (value as unknown as Duration3).value
      return millis === undefined
        ? nanos === undefined ? Duration.infinity : Duration.nanos(nanos)
        : Duration.millis(millis)
    }
  } catch {
    // A hostile proxy: told as any other object.
  }
  return value
}

/** The values of a record of attributes. */
export const toValues = (attributes: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const values: Record<string, unknown> = {}
  for (const key of Object.keys(attributes)) values[key] = toValue(attributes[key])
  return values
}
