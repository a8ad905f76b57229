/** The sampler's view of a span about to start; the costly parts are made when read. */
import type * as Tracer from "effect/Tracer"
import type { SpanLink } from "../model/ReadableSpan.ts"
import type { SamplingInput, SamplingParent } from "../sampling/Sampler.ts"
import { hexOf } from "./identity.ts"
import type { SpanStart } from "./spanStart.ts"

const noAttributes: Readonly<Record<string, unknown>> = {}

/** What a sampler is asked with. */
export class StartInput implements SamplingInput {
  readonly parent: SamplingParent | undefined
  readonly #start: SpanStart
  readonly #toLink: (link: Tracer.SpanLink) => SpanLink | undefined
  readonly #words: readonly [number, number, number, number]

  constructor(
    start: SpanStart,
    parent: SamplingParent | undefined,
    toLink: (link: Tracer.SpanLink) => SpanLink | undefined,
    words: readonly [number, number, number, number]
  ) {
    this.parent = parent
    this.#start = start
    this.#toLink = toLink
    this.#words = words
  }

  get name(): string {
    return this.#start.name
  }

  get kind(): Tracer.SpanKind {
    return this.#start.kind
  }

  get traceId(): string {
    return hexOf(...this.#words)
  }

  get attributes(): Readonly<Record<string, unknown>> {
    return this.#start.attributes ?? noAttributes
  }

  get links(): ReadonlyArray<SpanLink> {
    return (this.#start.links ?? []).flatMap((link) => this.#toLink(link) ?? [])
  }
}
