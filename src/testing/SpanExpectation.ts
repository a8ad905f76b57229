/** What a test expects of one span, apart from its place. */
import type { Attributes, AttributeValue } from "../model/Attributes.ts"
import type { StatusCode } from "../model/ReadableSpan.ts"
import type { SpanData, SpanEventData, SpanKind } from "../model/SpanData.ts"
import { printValue } from "./SpanTree.ts"

/** A text that is equal, or matches, or passes. */
export type TextExpectation = string | RegExp | ((text: string) => boolean)

/**
 * A value that is equal, or a string that matches, or a value that passes. `undefined`: there is no such attribute.
 *
 * **Details**
 *
 * Numbers and bigints of the same integer are equal, as are arrays, maps and bytes of equal contents.
 */
export type AttributeExpectation =
  | AttributeValue
  | RegExp
  | ((value: AttributeValue | undefined) => boolean)
  | undefined

/** Attributes that must be there, among others. */
export type AttributesExpectation = { readonly [key: string]: AttributeExpectation }

/** What is expected of an event. */
export interface EventExpectation {
  readonly name?: TextExpectation | undefined
  readonly attributes?: AttributesExpectation | undefined
}

/** What is expected of a span. What is left out is not asked. */
export interface SpanExpectation {
  readonly name?: TextExpectation | undefined
  readonly kind?: SpanKind | undefined
  readonly status?: StatusCode | {
    readonly code?: StatusCode | undefined
    readonly message?: TextExpectation | undefined
  } | undefined
  /** The `service.name` of its resource. */
  readonly service?: TextExpectation | undefined
  /** The name of its instrumentation scope. */
  readonly scope?: TextExpectation | undefined
  readonly attributes?: AttributesExpectation | undefined
  /** These events, in this order, among others. A text stands for an event's name. */
  readonly events?: ReadonlyArray<TextExpectation | EventExpectation> | undefined
  /** How many links it has. */
  readonly links?: number | undefined
}

/** Whether `text` is as expected. */
export const matchesText = (expected: TextExpectation, text: string): boolean =>
  typeof expected === "string"
    ? expected === text
    : typeof expected === "function"
    ? expected(text)
    // A copy: a global pattern would go on where the last match ended.
    : new RegExp(expected).test(text)

const printText = (expected: TextExpectation): string =>
  typeof expected === "string" ? JSON.stringify(expected) : printOther(expected)

const printOther = (expected: RegExp | ((...args: Array<never>) => boolean)): string =>
  typeof expected !== "function" ? `match of ${expected}` : expected.name === "" ? "a passing value" : expected.name

/** The name that is expected, for messages. */
export const printExpected = (expected: SpanExpectation): string => {
  const { name } = expected
  const facts = [
    name === undefined ? "any span" : typeof name === "string" ? name : printOther(name),
    expected.kind ?? "",
    typeof expected.status === "string" ? expected.status : expected.status?.code ?? ""
  ]
  return facts.filter((fact) => fact !== "").join(" ")
}

/** Whether the name is as expected; so it is where none is. */
export const hasName = (expected: SpanExpectation, span: SpanData): boolean =>
  expected.name === undefined || matchesText(expected.name, span.name)

/** What about `span` is not as expected, one line each. */
export const compareSpan = (expected: SpanExpectation, span: SpanData): Array<string> => {
  const out: Array<string> = []
  const text = (what: string, wanted: TextExpectation | undefined, found: string): void => {
    if (wanted !== undefined && !matchesText(wanted, found)) {
      out.push(`${what}: expected ${printText(wanted)}, found ${JSON.stringify(found)}`)
    }
  }
  text("name", expected.name, span.name)
  if (expected.kind !== undefined && expected.kind !== span.kind) {
    out.push(`kind: expected ${expected.kind}, found ${span.kind}`)
  }
  if (expected.status !== undefined) {
    const { code, message } = typeof expected.status === "string"
      ? { code: expected.status, message: undefined }
      : expected.status
    if (code !== undefined && code !== span.status.code) {
      const why = span.status.message === "" ? "" : ` (${JSON.stringify(span.status.message)})`
      out.push(`status: expected ${code}, found ${span.status.code}${why}`)
    }
    text("status message", message, span.status.message)
  }
  if (expected.service !== undefined) {
    const service = span.resource.attributes["service.name"]
    text("service", expected.service, typeof service === "string" ? service : "")
  }
  text("scope", expected.scope, span.scope.name)
  for (const line of compareAttributes(expected.attributes, span.attributes)) out.push(line)
  if (expected.events !== undefined) {
    const line = compareEvents(expected.events, span.events)
    if (line !== undefined) out.push(line)
  }
  if (expected.links !== undefined && expected.links !== span.links.length) {
    out.push(`links: expected ${expected.links}, found ${span.links.length}`)
  }
  return out
}

const compareAttributes = (expected: AttributesExpectation | undefined, found: Attributes): Array<string> => {
  const out: Array<string> = []
  for (const key of Object.keys(expected ?? {})) {
    const wanted = expected![key]
    const value = Object.hasOwn(found, key) ? found[key] : undefined
    if (matchesValue(wanted, value)) continue
    const text = typeof wanted === "function" || wanted instanceof RegExp ? printOther(wanted) : printValue(wanted)
    out.push(`attribute ${JSON.stringify(key)}: expected ${text}, found ${printValue(value)}`)
  }
  return out
}

const matchesValue = (expected: AttributeExpectation, value: AttributeValue | undefined): boolean =>
  typeof expected === "function"
    ? expected(value)
    : expected instanceof RegExp
    ? typeof value === "string" && matchesText(expected, value)
    : isEqual(expected, value)

const isEqual = (left: AttributeValue | undefined, right: AttributeValue | undefined): boolean => {
  if (Object.is(left, right)) return true
  if (typeof left === "bigint" || typeof right === "bigint") {
    return isSameInteger(left, right) || isSameInteger(right, left)
  }
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false
  if (left instanceof Uint8Array || right instanceof Uint8Array) {
    return left instanceof Uint8Array && right instanceof Uint8Array && left.length === right.length &&
      left.every((byte, index) => byte === right[index])
  }
  if (Array.isArray(left) !== Array.isArray(right)) return false
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isEqual((left as Attributes)[key], (right as Attributes)[key]))
}

const isSameInteger = (left: AttributeValue | undefined, right: AttributeValue | undefined): boolean =>
  typeof left === "number" && Number.isInteger(left) && typeof right === "bigint" && BigInt(left) === right

const compareEvents = (
  expected: ReadonlyArray<TextExpectation | EventExpectation>,
  found: ReadonlyArray<SpanEventData>
): string | undefined => {
  let at = 0
  for (const item of expected) {
    const wanted: EventExpectation = isText(item) ? { name: item } : item
    let isFound = false
    // What is wrong with the first event of the right name.
    let near: ReadonlyArray<string> | undefined
    while (!isFound && at < found.length) {
      const event = found[at++]!
      if (wanted.name !== undefined && !matchesText(wanted.name, event.name)) continue
      const lines = compareAttributes(wanted.attributes, event.attributes)
      if (lines.length === 0) isFound = true
      else near ??= lines
    }
    if (isFound) continue
    const name = wanted.name === undefined ? "any event" : printText(wanted.name)
    if (near !== undefined) return `event ${name}: ${near.join("; ")}`
    const names = found.map((event) => JSON.stringify(event.name)).join(", ")
    return `events: expected ${name}${expected.length > 1 ? " in order" : ""}, found ${names === "" ? "none" : names}`
  }
  return undefined
}

const isText = (item: TextExpectation | EventExpectation): item is TextExpectation =>
  typeof item === "string" || typeof item === "function" || item instanceof RegExp
