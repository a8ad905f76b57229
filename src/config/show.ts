/**
 * How a value that was not taken is shown to a person.
 */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

const most = 120

// A foreign value must not write on the operator's terminal.
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

const shorten = (text: string): string => text.length <= most ? text : `${text.slice(0, most)}…`

/** The text in quotes, at most 120 characters of it, control characters escaped. */
export const showText = (text: string): string => `"${shorten(text).replace(control, escaped)}"`

/** What stands for a secret. */
export const hidden = "<redacted>"

/** A value given in code: text and numbers as they are, of an object only what it is. */
export const showValue = (value: unknown): string => {
  switch (typeof value) {
    case "string":
      return showText(value)
    case "bigint":
      return shorten(`${value}n`)
    case "number":
    case "boolean":
    case "undefined":
      return String(value)
    case "object":
      return value === null
        ? "null"
        : Redacted.isRedacted(value)
        ? hidden
        : Array.isArray(value)
        ? "an array"
        : "an object"
    default:
      return `a ${typeof value}`
  }
}

const toJson = Option.liftThrowable((value: unknown): string | undefined => JSON.stringify(value))

/** As {@link showValue}, with the contents of objects: for what never holds a secret. */
export const showData = (value: unknown): string =>
  typeof value === "object" && value !== null
    ? Option.match(toJson(value), {
      onNone: () => showValue(value),
      onSome: (json) => showText(json ?? "").slice(1, -1)
    })
    : showValue(value)

/** A URL without its user information and its query, either of which may hold a secret. */
export const showUrl = (value: unknown): string => {
  if (typeof value !== "string") return showValue(value)
  const text = value
  const at = text.lastIndexOf("@")
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.exec(text)?.[0] ?? ""
  const bare = at < 0 ? text : `${at < scheme.length ? "" : scheme}${hidden}@${text.slice(at + 1)}`
  const query = bare.indexOf("?")
  return showText(query < 0 ? bare : `${bare.slice(0, query)}?${hidden}`)
}
