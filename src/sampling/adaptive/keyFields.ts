/** Keys as data: which fields of a span about to start tell one kind of traffic from another. */
import * as Schema from "effect/Schema"
import type { SamplingInput } from "../Sampler.ts"

/** In characters. What is longer is cut. */
export const longestKey = 256

const Name = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(256))

/** A field of a span about to start, as in predicates. */
export const KeyField = Schema.Union([
  Schema.Struct({ field: Schema.Literals(["name", "kind", "parent", "request.method", "request.path"]) }),
  Schema.Struct({ attribute: Name }),
  Schema.Struct({ resource: Name }),
  Schema.Struct({ header: Name.check(Schema.isPattern(/^[^A-Z]*$/)) })
], { mode: "oneOf" }).annotate({ identifier: "KeyField" })

/** A field of a span about to start, as in predicates. */
export type KeyField = typeof KeyField.Type

// What is no attribute value is no text: turning it into one could run, or fail in, code of the program.
const text = (value: unknown): string =>
  typeof value === "string"
    ? value
    : typeof value === "number" || typeof value === "boolean" || typeof value === "bigint"
    ? String(value)
    : Array.isArray(value)
    ? value.slice(0, 16).map((item) => Array.isArray(item) ? "" : text(item)).join(",")
    : ""

const own = (record: Readonly<Record<string, unknown>> | undefined, key: string): string => {
  if (record === undefined) return ""
  const value = record[key]
  // Nothing that objects inherit is text.
  return typeof value === "string" ? value : Object.hasOwn(record, key) ? text(value) : ""
}

const reader = (field: KeyField): (input: SamplingInput) => string => {
  if ("attribute" in field) return (input) => own(input.attributes, field.attribute)
  if ("resource" in field) return (input) => own(input.resource?.attributes, field.resource)
  if ("header" in field) return (input) => text(input.request?.header(field.header))
  switch (field.field) {
    case "name":
      return (input) => input.name
    case "kind":
      return (input) => input.kind
    case "parent":
      return (input) => input.parent === undefined ? "none" : input.parent.isRemote ? "remote" : "local"
    case "request.method":
      return (input) => text(input.request?.method)
    case "request.path":
      return (input) => text(input.request?.path)
  }
}

/** Values seen so far, and those that came behind them: a text that was joined before is found, flat and hashed. */
interface Joined {
  readonly text: string
  readonly next: Map<string, Joined>
}

const mostJoined = 2_000

/** The key of a span: its fields' values, `" | "` between them. */
export const keyOf = (fields: ReadonlyArray<KeyField>): (input: SamplingInput) => string => {
  const readers = fields.map(reader)
  if (readers.length === 1) return readers[0]!
  const root: Joined = { text: "", next: new Map() }
  let joined = 0
  return (input) => {
    if (joined >= mostJoined) {
      root.next.clear()
      joined = 0
    }
    let at = root
    for (const read of readers) {
      const value = read(input)
      let next = at.next.get(value)
      if (next === undefined) {
        // Bounded like the key itself, however long the values are.
        const text = (at === root ? value : `${at.text} | ${value}`).slice(0, longestKey)
        next = { text, next: new Map() }
        if (value.length <= longestKey) {
          at.next.set(value, next)
          joined++
        }
      }
      at = next
    }
    return at.text
  }
}
