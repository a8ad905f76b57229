import type { Attributes } from "./Attributes.ts"

/** Who emits: service, process, host (`resource/sdk.md`). */
export interface Resource {
  readonly attributes: Attributes
  readonly schemaUrl?: string | undefined
}
