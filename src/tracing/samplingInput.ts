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
  readonly parent: SamplingParent | undefined
  readonly #traceId0: number
  readonly #traceId1: number
  readonly #traceId2: number
  readonly #traceId3: number
  readonly #links: ReadonlyArray<Tracer.SpanLink> | undefined
  readonly #toLink: (link: Tracer.SpanLink) => SpanLink | undefined

  /** `traceId` is copied: four words, big end first. */
  constructor(
    start: SpanStart,
    parent: SamplingParent | undefined,
    traceId: Int32Array,
    toLink: (link: Tracer.SpanLink) => SpanLink | undefined
  ) {
    this.name = start.name
    this.kind = start.kind
    this.attributes = start.attributes ?? noAttributes
    this.parent = parent
    this.#traceId0 = traceId[0]!
    this.#traceId1 = traceId[1]!
    this.#traceId2 = traceId[2]!
    this.#traceId3 = traceId[3]!
    this.#links = start.links
    this.#toLink = toLink
  }

  get traceId(): string {
    return hexOf(this.#traceId0, this.#traceId1, this.#traceId2, this.#traceId3)
  }

  get links(): ReadonlyArray<SpanLink> {
    return (this.#links ?? []).flatMap((link) => this.#toLink(link) ?? [])
  }
}
