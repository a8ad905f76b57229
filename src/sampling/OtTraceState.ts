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
  /** Whether there is a `th`, valid or not, that another reader might believe. */
  readonly hasThreshold: boolean
}

/** The longest `ot` value, in characters. */
const maxLength = 256

const none: OtMember = { threshold: undefined, randomness: undefined, hasThreshold: false }

const comma = 44
const semicolon = 59
const space = 32
const tab = 9

const isBlank = (code: number): boolean => code === space || code === tab

/** Where the value of `ot` begins, or -1. */
const startOf = (traceState: string): number => {
  for (let from = traceState.indexOf("ot="); from >= 0; from = traceState.indexOf("ot=", from + 1)) {
    let before = from - 1
    while (before >= 0 && isBlank(traceState.charCodeAt(before))) before--
    if (before < 0 || traceState.charCodeAt(before) === comma) return from + 3
  }
  return -1
}

/** Where the value that begins at `start` ends. */
const endOf = (traceState: string, start: number): number => {
  let end = traceState.indexOf(",", start)
  if (end < 0) end = traceState.length
  while (end > start && isBlank(traceState.charCodeAt(end - 1))) end--
  return end
}

const valueOf = (traceState: string): string | undefined => {
  const start = startOf(traceState)
  return start < 0 ? undefined : traceState.slice(start, endOf(traceState, start))
}

const parse = (traceState: string): OtMember => {
  const start = startOf(traceState)
  if (start < 0) return none
  const end = endOf(traceState, start)
  // One that is too long says nothing, but not everybody knows.
  if (end - start > maxLength) return { threshold: undefined, randomness: undefined, hasThreshold: true }
  let threshold: Threshold.Threshold | undefined
  let randomness: OtMember["randomness"]
  let hasThreshold = false
  for (let at = start; at < end;) {
    let next = at
    while (next < end && traceState.charCodeAt(next) !== semicolon) next++
    if (traceState.startsWith("th:", at)) {
      hasThreshold = true
      threshold = Threshold.fromHexAt(traceState, at + 3, next)
    } else if (next - at === 17 && traceState.startsWith("rv:", at)) {
      randomness = Threshold.fromHexAt(traceState, at + 3, next)
    }
    at = next + 1
  }
  return hasThreshold || randomness !== undefined ? { threshold, randomness, hasThreshold } : none
}

// Spans of one trace carry the same header, so the last one read answers most questions.
let lastText = ""
let lastMember: OtMember = none

/** Reads the `ot` member of a tracestate header. */
export const read = (traceState: string): OtMember => {
  if (traceState === "") return none
  if (traceState === lastText) return lastMember
  lastMember = parse(traceState)
  lastText = traceState
  return lastMember
}

const isBrokenRandomness = (pair: string): boolean =>
  pair.startsWith("rv:") && (pair.length !== 17 || Threshold.fromHexAt(pair, 3, 17) === undefined)

/** The sub-keys beside `th`, as many as there is room for: `rv` first, since all that follows rests on it. */
const othersOf = (traceState: string, room: number): ReadonlyArray<string> => {
  const value = valueOf(traceState)
  if (value === undefined || value.length > maxLength) return []
  const all = value.split(";").filter((pair) => pair !== "" && !pair.startsWith("th:") && !isBrokenRandomness(pair))
  let length = 0
  return all
    .toSorted((a, b) => Number(b.startsWith("rv:")) - Number(a.startsWith("rv:")))
    .filter((pair) => (length += pair.length + 1) <= room)
}

const setThreshold = (traceState: string, threshold: Threshold.Threshold | undefined): string => {
  const own = threshold === undefined ? "" : `th:${Threshold.toHex(threshold)}`
  const others = othersOf(traceState, threshold === undefined ? maxLength + 1 : maxLength - own.length)
  const pairs = own === "" ? others : [own, ...others]
  const rest = traceState
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "" && !member.startsWith("ot="))
  // A changed member moves to the front; the list holds 32 at most.
  return (pairs.length === 0 ? rest : [`ot=${pairs.join(";")}`, ...rest.slice(0, 31)]).join(",")
}

// The roots of a service have few thresholds between them, and no tracestate of their own.
let lastThreshold: Threshold.Threshold = Threshold.always
let lastRoot = "ot=th:0"

/**
 * The header with `th` set to `threshold`, or without `th` when it is `undefined`. Other members and sub-keys stay, as
 * far as the value has room for them: 256 characters.
 */
export const withThreshold = (traceState: string, threshold: Threshold.Threshold | undefined): string => {
  if (traceState !== "" || threshold === undefined) return setThreshold(traceState, threshold)
  if (threshold.hi !== lastThreshold.hi || threshold.lo !== lastThreshold.lo) {
    lastRoot = setThreshold("", threshold)
    lastThreshold = threshold
  }
  return lastRoot
}

/** A tracestate that holds nothing but this randomness. */
export const ofRandomness = (hi: number, lo: number): string =>
  `ot=rv:${hi.toString(16).padStart(7, "0")}${lo.toString(16).padStart(7, "0")}`

/** `next` with the `ot` member of `current`, which is not a sampler's to change: the randomness stands there. */
export const withOtOf = (next: string, current: string): string => {
  const value = valueOf(current)
  if (valueOf(next) === value) return next
  const rest = next.split(",").map((member) => member.trim()).filter((member) => !/^(ot=|$)/.test(member))
  return (value === undefined ? rest : [`ot=${value}`, ...rest.slice(0, 31)]).join(",")
}

const keepsAll = (threshold: Threshold.Threshold): boolean => threshold.hi === 0 && threshold.lo === 0

/**
 * The tracestate after a decision: a kept span carries its threshold when that is known, any other carries none. One that
 * keeps everything is written where the decision is explicit, or something else stood there.
 */
export const afterDecision = (
  traceState: string,
  decision: {
    readonly threshold: Threshold.Threshold
    readonly reliable: boolean
    readonly explicit?: boolean | undefined
  },
  keep: boolean
): string => {
  const known = keep && decision.reliable
  const isTacit = keepsAll(decision.threshold) && decision.explicit !== true
  if (traceState === "") return known && !isTacit ? withThreshold("", decision.threshold) : ""
  const before = read(traceState)
  if (known) {
    if (!before.hasThreshold && isTacit) return traceState
    const { threshold } = before
    if (threshold?.hi === decision.threshold.hi && threshold.lo === decision.threshold.lo) return traceState
    return withThreshold(traceState, decision.threshold)
  }
  return before.hasThreshold ? withThreshold(traceState, undefined) : traceState
}
