import type { Attributes } from "./Attributes.ts"

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

/** The scope of spans whose maker named none. */
export const defaultScope: InstrumentationScope = { name: "effect-telemetry" }
