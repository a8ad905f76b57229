/** Expectations on the order in which spans start, end, and have events. */
import { formatNanos } from "../internal/terminalText.ts"
import type { StatusCode } from "../model/ReadableSpan.ts"
import type { SpanData } from "../model/SpanData.ts"
import { describeMismatches, ExpectationError, type Mismatches } from "./ExpectationError.ts"
import { matchesText, type TextExpectation } from "./SpanExpectation.ts"

/** One moment that is expected. */
export type Step =
  | { readonly moment: "start"; readonly span: TextExpectation }
  | { readonly moment: "end"; readonly span: TextExpectation; readonly status?: StatusCode | undefined }
  | { readonly moment: "event"; readonly span: TextExpectation; readonly event: TextExpectation }

/** A span of this name starts. */
export const started = (span: TextExpectation): Step => ({ moment: "start", span })

/** A span of this name ends, with this status if one is given. */
export const ended = (span: TextExpectation, status?: StatusCode): Step => ({ moment: "end", span, status })

/** A span of this name has an event of that name. */
export const event = (span: TextExpectation, name: TextExpectation): Step => ({ moment: "event", span, event: name })

/** How strictly the order is asked. */
export interface SequenceOptions {
  /** Nothing else starts, ends or happens. Default `false`: these moments, in this order, among others. */
  readonly exact?: boolean | undefined
}

/**
 * Compares the order of moments in `spans` with what is expected, and says where it differs; `undefined` where it does
 * not.
 *
 * **Details**
 *
 * Moments are ordered by their time. Those of the same time, as a test clock makes them, are ordered by what is known: a
 * span starts before its events and these before its end, a parent starts before its children, and spans that end
 * together end in the order given. What is not known may be expected in either order.
 */
export const matchSequence = (
  spans: Iterable<SpanData>,
  expected: ReadonlyArray<Step>,
  options?: SequenceOptions
): Mismatches | undefined => {
  const timeline = makeTimeline([...spans])
  const { isWhole, matched } = search(timeline, expected)
  const exact = options?.exact ?? false
  const others = exact && isWhole ? timeline.filter((moment) => !matched.includes(moment)) : []
  if (isWhole && others.length === 0) return undefined

  const messages = isWhole
    ? others.map((moment) => `not expected: ${printMoment(moment)}`)
    : [
      `step ${matched.length + 1} of ${expected.length} is not there: ${printStep(expected[matched.length]!)}` +
      (matched.length === 0 ? "" : `, not before ${printMoment(matched[matched.length - 1]!)}`)
    ]
  return describeMismatches(
    "The spans are not in the expected sequence.",
    messages.map((message) => ({ path: [], message })),
    printTimeline(timeline, matched)
  )
}

/** Like {@link matchSequence}, but throws an {@link ExpectationError} where the order differs. */
export const expectSequence = (
  spans: Iterable<SpanData>,
  expected: ReadonlyArray<Step>,
  options?: SequenceOptions
): void => {
  const found = matchSequence(spans, expected, options)
  if (found !== undefined) throw new ExpectationError(found)
}

interface Moment {
  readonly kind: Step["moment"]
  readonly span: SpanData
  /** The name of the event; `""` for a start or an end. */
  readonly event: string
  readonly time: bigint
  /** Of the span in the order given, and of the event in its span. */
  readonly index: number
  readonly eventIndex: number
  /** Ancestors among the spans given. */
  readonly depth: number
}

const makeTimeline = (spans: ReadonlyArray<SpanData>): ReadonlyArray<Moment> => {
  const byId = new Map(spans.map((span) => [`${span.traceId}${span.spanId}`, span]))
  const moments = spans.flatMap((span, index): Array<Moment> => {
    const common = { span, index, depth: depthOf(span, byId) }
    return [
      { ...common, kind: "start", event: "", time: span.startTimeUnixNano, eventIndex: 0 },
      ...span.events.map((event, eventIndex): Moment => ({
        ...common,
        kind: "event",
        event: event.name,
        time: event.timeUnixNano,
        eventIndex
      })),
      { ...common, kind: "end", event: "", time: span.endTimeUnixNano, eventIndex: 0 }
    ]
  })
  return moments.sort((left, right) => left.time < right.time ? -1 : left.time > right.time ? 1 : tieOrder(left, right))
}

const depthOf = (span: SpanData, byId: ReadonlyMap<string, SpanData>): number => {
  const seen = new Set<SpanData>()
  let parent: SpanData | undefined = span
  while (parent !== undefined && !seen.has(parent)) {
    seen.add(parent)
    parent = parent.parentSpanId === undefined ? undefined : byId.get(`${parent.traceId}${parent.parentSpanId}`)
  }
  return seen.size - 1
}

const rank = { start: 0, event: 1, end: 2 } as const

// One order in which everything that is known holds: starts from the outside in, then events, then ends as given.
const tieOrder = (left: Moment, right: Moment): number =>
  rank[left.kind] - rank[right.kind] ||
  (left.kind === "start" ? left.depth - right.depth : 0) ||
  left.index - right.index ||
  left.eventIndex - right.eventIndex

/** Whether `left` is known to come before `right`. */
const isBefore = (left: Moment, right: Moment): boolean => {
  if (left.time !== right.time) return left.time < right.time
  if (left.index === right.index) {
    return rank[left.kind] < rank[right.kind] || (left.kind === right.kind && left.eventIndex < right.eventIndex)
  }
  if (left.kind === "end" && right.kind === "end") return left.index < right.index
  return left.kind === "start" && right.kind === "start" && left.span.traceId === right.span.traceId &&
    right.span.parentSpanId === left.span.spanId
}

// Only moments of one time are tried in several orders; a test with so many of them that this is not enough fails.
const maxTries = 20_000

/** The longest beginning of `steps` that the timeline has, and the moments it consists of. */
const search = (
  timeline: ReadonlyArray<Moment>,
  steps: ReadonlyArray<Step>
): { readonly isWhole: boolean; readonly matched: ReadonlyArray<Moment> } => {
  let best: ReadonlyArray<Moment> = []
  let tries = 0
  const chosen: Array<Moment> = []
  const tryFrom = (step: number): boolean => {
    if (chosen.length > best.length) best = [...chosen]
    if (step === steps.length) return true
    let failedAt: bigint | undefined
    for (const moment of timeline) {
      // Where the earliest moment led nowhere, a later one leads nowhere: it leaves fewer to follow.
      if (failedAt !== undefined && moment.time > failedAt) break
      if (!isStep(steps[step]!, moment) || chosen.includes(moment)) continue
      if (chosen.some((earlier) => isBefore(moment, earlier))) continue
      if (tries++ >= maxTries) return false
      chosen.push(moment)
      if (tryFrom(step + 1)) return true
      chosen.pop()
      failedAt ??= moment.time
    }
    return false
  }
  return { isWhole: tryFrom(0), matched: best }
}

const isStep = (step: Step, moment: Moment): boolean =>
  step.moment === moment.kind && matchesText(step.span, moment.span.name) &&
  (step.moment !== "end" || step.status === undefined || step.status === moment.span.status.code) &&
  (step.moment !== "event" || matchesText(step.event, moment.event))

const printText = (text: TextExpectation): string =>
  typeof text === "string" ? text : typeof text === "function" ? "a passing name" : String(text)

const printStep = (step: Step): string =>
  step.moment === "event"
    ? `event ${printText(step.event)} of ${printText(step.span)}`
    : `${step.moment} of ${printText(step.span)}${
      step.moment === "end" && step.status !== undefined ? ` with ${step.status}` : ""
    }`

const printMoment = (moment: Moment): string =>
  moment.kind === "event" ? `event ${moment.event} of ${moment.span.name}` : `${moment.kind} of ${moment.span.name}`

const printTimeline = (timeline: ReadonlyArray<Moment>, matched: ReadonlyArray<Moment>): string => {
  const first = timeline[0]
  if (first === undefined) return "no spans"
  return timeline.map((moment) => {
    const mark = matched.includes(moment) ? "✓" : " "
    const time = `+${formatNanos(moment.time - first.time, true)}`
    const status = moment.kind === "end" && moment.span.status.code !== "UNSET"
      ? ` with ${moment.span.status.code}`
      : ""
    return `${mark} ${time.padStart(9)}  ${printMoment(moment)}${status}`
  }).join("\n")
}
