/**
 * The `tracestate` list of W3C Trace Context level 2 (section 3.3): what tracing systems other than this one attached to
 * a trace, most recent first.
 *
 * **Details**
 *
 * A span carries its tracestate as the header text, since most spans only pass it on; this module is for those who read
 * or change a member.
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** Most members of a list (section 3.3.1.1). */
export const maxMembers = 32

/** Most characters of all header lines together that are read; a longer list is discarded. */
export const maxLength = 8192

/** A member: the key of a tracing system and its opaque value. */
export type TraceStateMember = readonly [key: string, value: string]

/** Members by position, most recent first, each key once. */
export type TraceState = ReadonlyArray<TraceStateMember>

/** The list without members. */
export const empty: TraceState = []

const isLowerOrDigit = (code: number): boolean => (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39)

const isKeyCode = (code: number): boolean =>
  isLowerOrDigit(code) || code === 0x5f || code === 0x2d || code === 0x2a || code === 0x2f || code === 0x40

const isValueCode = (code: number): boolean => code >= 0x20 && code <= 0x7e && code !== 0x2c && code !== 0x3d

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

const isKeyBetween = (text: string, from: number, to: number): boolean => {
  if (to <= from || to - from > 256 || !isLowerOrDigit(text.charCodeAt(from))) return false
  for (let i = from + 1; i < to; i++) {
    if (!isKeyCode(text.charCodeAt(i))) return false
  }
  return true
}

const isValueBetween = (text: string, from: number, to: number): boolean => {
  if (to <= from || to - from > 256 || text.charCodeAt(to - 1) === 0x20) return false
  for (let i = from; i < to; i++) {
    if (!isValueCode(text.charCodeAt(i))) return false
  }
  return true
}

/** Whether `key` is a key: 1 to 256 of `a-z 0-9 _ - * / @`, the first a letter or digit. */
export const isKey = (key: string): boolean => isKeyBetween(key, 0, key.length)

/** Whether `value` is a value: 1 to 256 printable ASCII characters without `,` and `=`, the last no space. */
export const isValue = (value: string): boolean => isValueBetween(value, 0, value.length)

/**
 * Reads a header, or `undefined` when it is not valid.
 *
 * **Details**
 *
 * One invalid member, a 33rd member or more than {@link maxLength} characters make the whole list invalid; the
 * specification asks to discard it then, and to keep the `traceparent`. Blanks around members and empty members are
 * allowed. Of a repeated key the first member, the most recent one, is kept.
 */
export const parse = (header: string): TraceState | undefined => {
  if (header === "") return empty
  if (header.length > maxLength) return undefined
  const members: Array<TraceStateMember> = []
  let count = 0
  for (let at = 0; at <= header.length;) {
    const comma = header.indexOf(",", at)
    const end = comma < 0 ? header.length : comma
    let from = at
    let to = end
    while (from < to && isBlank(header.charCodeAt(from))) from++
    while (to > from && isBlank(header.charCodeAt(to - 1))) to--
    if (from < to) {
      const equals = header.indexOf("=", from)
      if (++count > maxMembers || equals < 0 || equals >= to) return undefined
      if (!isKeyBetween(header, from, equals) || !isValueBetween(header, equals + 1, to)) return undefined
      const key = header.slice(from, equals)
      if (find(members, key) < 0) members.push([key, header.slice(equals + 1, to)])
    }
    at = end + 1
  }
  return members
}

const find = (members: TraceState, key: string): number => {
  for (let i = 0; i < members.length; i++) {
    if (members[i]![0] === key) return i
  }
  return -1
}

/** Writes the list as one header value; `""` for an empty list. */
export const toHeader = (self: TraceState): string => {
  let header = ""
  for (const [key, value] of self) header += header === "" ? `${key}=${value}` : `,${key}=${value}`
  return header
}

/**
 * The header value that passes on what `header` says: without needless blanks, empty members and repeated keys, and `""`
 * when the list is invalid.
 */
export const normalizeHeader = (header: string): string => {
  const members = parse(header)
  return members === undefined ? "" : toHeader(members)
}

/** The value of `key`, or `undefined`. */
export const get: {
  (key: string): (self: TraceState) => string | undefined
  (self: TraceState, key: string): string | undefined
} = dual(2, (self: TraceState, key: string): string | undefined => self[find(self, key)]?.[1])

/**
 * Sets `key` and moves it to the front, as the specification asks of whoever changes a member.
 *
 * **Details**
 *
 * An invalid key or value changes nothing. A 33rd member pushes out the last one.
 */
export const set: {
  (key: string, value: string): (self: TraceState) => TraceState
  (self: TraceState, key: string, value: string): TraceState
} = dual(3, (self: TraceState, key: string, value: string): TraceState => {
  if (!isKey(key) || !isValue(value)) return self
  const others = self.filter((member) => member[0] !== key)
  return [[key, value], ...others.slice(0, maxMembers - 1)]
})

/** Removes `key`. */
export const remove: {
  (key: string): (self: TraceState) => TraceState
  (self: TraceState, key: string): TraceState
} = dual(2, (self: TraceState, key: string): TraceState => self.filter((member) => member[0] !== key))

const Members = Schema.Array(Schema.Tuple([
  Schema.String.check(Schema.isPattern(/^[a-z0-9][a-z0-9_\-*/@]{0,255}$/)),
  Schema.String.check(Schema.isPattern(/^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/))
])).check(Schema.isMaxLength(maxMembers), Schema.isUniqueKey())

/** Schema of {@link TraceState}; encoded, it is the header value. */
export const TraceState: Schema.Codec<TraceState, string> = Schema.String.pipe(Schema.decodeTo(
  Members,
  SchemaTransformation.transformEffect<TraceState, string>({
    decode: (header, options) => {
      const members = parse(header)
      return members === undefined
        ? Effect.fail(new SchemaIssue.InvalidValue({ expected: "a W3C tracestate list" }, header, options))
        : Effect.succeed(members)
    },
    encode: (members) => Effect.succeed(toHeader(members))
  })
))
