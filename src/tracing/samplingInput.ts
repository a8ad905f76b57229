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
  readonly #traceId0: number
  readonly #traceId1: number
  readonly #traceId2: number
  readonly #traceId3: number

  constructor(
    start: SpanStart,
    parent: SamplingParent | undefined,
    toLink: (link: Tracer.SpanLink) => SpanLink | undefined,
    traceId0: number,
    traceId1: number,
    traceId2: number,
    traceId3: number
  ) {
    this.parent = parent
    this.#start = start
    this.#toLink = toLink
    this.#traceId0 = traceId0
    this.#traceId1 = traceId1
    this.#traceId2 = traceId2
    this.#traceId3 = traceId3
  }

  get name(): string {
    return this.#start.name
  }

  get kind(): Tracer.SpanKind {
    return this.#start.kind
  }

  get traceId(): string {
    return hexOf(this.#traceId0, this.#traceId1, this.#traceId2, this.#traceId3)
  }

  get attributes(): Readonly<Record<string, unknown>> {
    return this.#start.attributes ?? noAttributes
  }

  get links(): ReadonlyArray<SpanLink> {
    return (this.#start.links ?? []).flatMap((link) => this.#toLink(link) ?? [])
  }
}
