/**
 * The `ot` member of a tracestate (`trace/tracestate-handling.md`): sub-keys `th` (threshold) and `rv` (randomness) among
 * others, which are kept. Works on the raw header, since most spans only pass it on.
 */
import * as Threshold from "./Threshold.ts"

/** What the `ot` member says. */
export interface OtMember {
  /** The threshold, if the member has a valid `th`. */
  readonly threshold: Threshold.Threshold | undefined
  /** Explicit randomness, if the member has a valid `rv`. */
  readonly randomness: { readonly hi: number; readonly lo: number } | undefined
}

const none: OtMember = { threshold: undefined, randomness: undefined }

const valueOf = (traceState: string): string | undefined => {
  if (!traceState.includes("ot=")) return undefined
  for (const member of traceState.split(",")) {
    const trimmed = member.trim()
    if (trimmed.startsWith("ot=")) return trimmed.slice(3)
  }
  return undefined
}

// Spans of one trace carry the same header, so the last one read answers most questions.
let lastText = ""
let lastMember: OtMember = none

/** Reads the `ot` member of a tracestate header. */
export const read = (traceState: string): OtMember => {
  if (traceState === "") return none
  if (traceState === lastText) return lastMember
  const value = valueOf(traceState)
  let member = none
  if (value !== undefined && value.length <= 256) {
    let threshold: Threshold.Threshold | undefined
    let randomness: OtMember["randomness"]
    for (const pair of value.split(";")) {
      if (pair.startsWith("th:")) threshold = Threshold.fromHex(pair.slice(3))
      else if (pair.startsWith("rv:") && pair.length === 17) randomness = Threshold.fromHex(pair.slice(3))
    }
    if (threshold !== undefined || randomness !== undefined) member = { threshold, randomness }
  }
  lastText = traceState
  lastMember = member
  return member
}

/** The header with `th` set to `threshold`, or without `th` when it is `undefined`. Other members and sub-keys stay. */
export const withThreshold = (traceState: string, threshold: Threshold.Threshold | undefined): string => {
  const value = valueOf(traceState)
  const others = value === undefined ? [] : value.split(";").filter((pair) => pair !== "" && !pair.startsWith("th:"))
  const pairs = threshold === undefined ? others : [`th:${Threshold.toHex(threshold)}`, ...others]
  const rest = traceState
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "" && !member.startsWith("ot="))
  // A changed member moves to the front; the list holds 32 at most.
  return (pairs.length === 0 ? rest : [`ot=${pairs.join(";")}`, ...rest.slice(0, 31)]).join(",")
}

const keepsAll = (threshold: Threshold.Threshold): boolean => threshold.hi === 0 && threshold.lo === 0

/** The tracestate after a decision: a kept span carries its threshold when that is known, any other carries none. */
export const afterDecision = (
  traceState: string,
  decision: { readonly threshold: Threshold.Threshold; readonly reliable: boolean },
  keep: boolean
): string => {
  const known = keep && decision.reliable
  if (traceState === "") {
    return known && !keepsAll(decision.threshold) ? withThreshold("", decision.threshold) : ""
  }
  const before = read(traceState).threshold
  if (known) {
    if (before === undefined && keepsAll(decision.threshold)) return traceState
    if (before?.hi === decision.threshold.hi && before.lo === decision.threshold.lo) return traceState
    return withThreshold(traceState, decision.threshold)
  }
  return before === undefined ? traceState : withThreshold(traceState, undefined)
}
