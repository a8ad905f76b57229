/** The sampler's view of a span about to start; the costly parts are made when read. */
import * as Context from "effect/Context"
import * as Fiber from "effect/Fiber"
import type * as Tracer from "effect/Tracer"
import { HttpServerRequest, type IncomingRequest } from "../context/HttpReferences.ts"
import type { SpanLink } from "../model/ReadableSpan.ts"
import type { Resource } from "../model/Resource.ts"
import type { RequestView } from "../sampling/Predicate.ts"
import type { SamplingInput, SamplingParent } from "../sampling/Sampler.ts"
import { hexOf } from "./identity.ts"
import type { SpanStart } from "./spanStart.ts"

const noAttributes: Readonly<Record<string, unknown>> = {}

const pathOf = (url: string): string => {
  let start = 0
  // Effect's server gives a path; an instrumentation of something else may give a whole URL.
  if (url.charCodeAt(0) !== 47) {
    const host = url.indexOf("://")
    if (host > 0) {
      start = url.indexOf("/", host + 3)
      if (start < 0) return "/"
    }
  }
  let end = url.length
  for (let i = start; i < end; i++) {
    const code = url.charCodeAt(i)
    if (code === 63 || code === 35) end = i
  }
  return url.slice(start, end)
}

/** What rules see of a request of Effect's HTTP server. */
class Request implements RequestView {
  readonly #request: IncomingRequest
  #path: string | undefined = undefined

  constructor(request: IncomingRequest) {
    this.#request = request
  }

  get method(): string {
    return this.#request.method
  }

  get path(): string {
    return this.#path ??= pathOf(this.#request.url)
  }

  header(name: string): string | undefined {
    const { headers } = this.#request
    return Object.hasOwn(headers, name) ? headers[name] : undefined
  }
}

/** What a sampler is asked with. */
export class StartInput implements SamplingInput {
  readonly name: string
  readonly kind: Tracer.SpanKind
  readonly attributes: Readonly<Record<string, unknown>>
  readonly parent: SamplingParent | undefined
  readonly resource: Resource
  readonly #traceId0: number
  readonly #traceId1: number
  readonly #traceId2: number
  readonly #traceId3: number
  readonly #links: ReadonlyArray<Tracer.SpanLink> | undefined
  readonly #toLink: (link: Tracer.SpanLink) => SpanLink | undefined
  // `null` until it is looked up.
  #request: RequestView | undefined | null = null

  /** `traceId` is copied: four words, big end first. */
  constructor(
    start: SpanStart,
    parent: SamplingParent | undefined,
    traceId: Int32Array,
    toLink: (link: Tracer.SpanLink) => SpanLink | undefined,
    resource: Resource
  ) {
    this.name = start.name
    this.kind = start.kind
    this.attributes = start.attributes ?? noAttributes
    this.parent = parent
    this.resource = resource
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

  // The attributes of a server span of Effect's come when it ends; its request stands in the fiber that opens it.
  get request(): RequestView | undefined {
    if (this.kind !== "server") return undefined
    if (this.#request === null) this.#request = currentRequest()
    return this.#request
  }
}

const currentRequest = (): RequestView | undefined => {
  const fiber = Fiber.getCurrent()
  const request = fiber === undefined ? undefined : Context.getOrUndefined(fiber.context, HttpServerRequest)
  return request === undefined ? undefined : new Request(request)
}
