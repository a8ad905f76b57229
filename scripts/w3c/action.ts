import * as Schema from "effect/Schema"

/** What the service is to do: post `arguments` to `url`. */
export const Action = Schema.Struct({ url: Schema.String, arguments: Schema.Unknown })

/** The body of a request. */
export const Actions = Schema.Array(Action)
