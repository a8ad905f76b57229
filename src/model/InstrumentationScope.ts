import * as Schema from "effect/Schema"
import { Attributes, type AttributesEncoded } from "./Attributes.ts"

/**
 * The library or module that made a span (`common/instrumentation-scope.md`). Two spans belong to the same scope when
 * they hold the same object.
 */
export interface InstrumentationScope {
  readonly name: string
  readonly version?: string | undefined
  readonly attributes?: Attributes | undefined
  readonly schemaUrl?: string | undefined
}

/** {@link InstrumentationScope} as JSON has it. */
export interface InstrumentationScopeEncoded {
  readonly name: string
  readonly version?: string | undefined
  readonly attributes?: AttributesEncoded | undefined
  readonly schemaUrl?: string | undefined
}

/** Schema of {@link InstrumentationScope}. */
export const InstrumentationScope: Schema.Codec<InstrumentationScope, InstrumentationScopeEncoded> = Schema.Struct({
  name: Schema.String,
  version: Schema.optional(Schema.String),
  attributes: Schema.optional(Attributes),
  schemaUrl: Schema.optional(Schema.String)
})

/** The scope of spans whose maker named none. */
export const defaultScope: InstrumentationScope = { name: "effect-telemetry" }
