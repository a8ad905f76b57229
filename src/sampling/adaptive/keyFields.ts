/** Keys as data: which fields of a span about to start tell one kind of traffic from another. */
import * as Schema from "effect/Schema"
import type { SamplingInput } from "../Sampler.ts"

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

const text = (value: unknown): string => typeof value === "string" ? value : value == null ? "" : String(value)

const own = (record: Readonly<Record<string, unknown>> | undefined, key: string): string =>
  record !== undefined && Object.hasOwn(record, key) ? text(record[key]) : ""

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

/** The key of a span: its fields' values, `" | "` between them. */
export const keyOf = (fields: ReadonlyArray<KeyField>): (input: SamplingInput) => string => {
  const [first, ...others] = fields.map(reader)
  if (first === undefined) return () => ""
  if (others.length === 0) return first
  return (input) => {
    let key = first(input)
    for (const read of others) key += ` | ${read(input)}`
    return key
  }
}
