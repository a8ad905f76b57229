/** The sampler's view of a span about to start; the costly parts are made when read. */
import type * as Tracer from "effect/Tracer"
import type { SpanLink } from "../model/ReadableSpan.ts"
import type { SamplingInput, SamplingParent } from "../sampling/Sampler.ts"
import { hexOf } from "./identity.ts"
import type { SpanStart } from "./spanStart.ts"

const noAttributes: Readonly<Record<string, unknown>> = {}

/** What a sampler is asked with. */
export class StartInput implements SamplingInput {
  readonly name: string
  readonly kind: Tracer.SpanKind
  readonly attributes: Readonly<Record<string, unknown>>
  parent: SamplingParent | undefined = undefined
  traceId0 = 0
  traceId1 = 0
  traceId2 = 0
  traceId3 = 0
  readonly #links: ReadonlyArray<Tracer.SpanLink> | undefined
  readonly #toLink: (link: Tracer.SpanLink) => SpanLink | undefined

  // Copies what it needs: whoever inlines this need not make the object it reads from.
  constructor(start: SpanStart, toLink: (link: Tracer.SpanLink) => SpanLink | undefined) {
    this.name = start.name
    this.kind = start.kind
    this.attributes = start.attributes ?? noAttributes
    this.#links = start.links
    this.#toLink = toLink
  }

  get traceId(): string {
    return hexOf(this.traceId0, this.traceId1, this.traceId2, this.traceId3)
  }

  get links(): ReadonlyArray<SpanLink> {
    return (this.#links ?? []).flatMap((link) => this.#toLink(link) ?? [])
  }
}
