/** A span of another tracer of OpenTelemetry JavaScript as Effect's. */
import type * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import type * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import * as Attributes from "../model/Attributes.ts"
import { isSampled, type StatusCode } from "../model/ReadableSpan.ts"
import * as Outcome from "../tracing/Outcome.ts"
import type * as Api from "./api.ts"
import { represent, toOtelSpan } from "./OtelAmbient.ts"
import { toOtelAttributes } from "./otelAttributes.ts"
import { statusNumber } from "./otelKinds.ts"
import { toHrTime } from "./otelTime.ts"

/** What Effect's tracer is given for a span. */
export type SpanOptions = Parameters<Tracer.Tracer["span"]>[0]

/** Passes on to a span that somebody else records and exports. */
export class ForeignSpan implements Tracer.Span, Outcome.OutcomeTarget {
  readonly _tag = "Span"
  readonly name: string
  readonly kind: Tracer.SpanKind
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly annotations: Context.Context<never>
  readonly spanId: string
  readonly traceId: string
  readonly sampled: boolean
  readonly attributes = new Map<string, unknown>()
  readonly links: Array<Tracer.SpanLink>
  status: Tracer.SpanStatus
  /** The status that was set so far. */
  statusCode: StatusCode = "UNSET"
  private readonly span: Api.Span
  private readonly policy: Outcome.OutcomePolicy

  constructor(span: Api.Span, options: SpanOptions, policy: Outcome.OutcomePolicy) {
    this.span = span
    this.policy = policy
    this.name = options.name
    this.kind = options.kind
    this.parent = options.parent
    this.annotations = options.annotations
    this.links = options.links
    const context = span.spanContext()
    this.spanId = context.spanId
    this.traceId = context.traceId
    this.sampled = isSampled(context)
    this.status = { _tag: "Started", startTime: options.startTime }
    represent(this, span)
  }

  attribute(key: string, value: unknown): void {
    this.attributes.set(key, value)
    this.span.setAttributes(converted({ [key]: value }))
  }

  event(name: string, startTime: bigint, attributes?: Record<string, unknown>): void {
    this.span.addEvent(name, converted(attributes ?? {}), toHrTime(startTime))
  }

  addLinks(links: ReadonlyArray<Tracer.SpanLink>): void {
    this.links.push(...links)
    this.span.addLinks(links.map(toOtelLink))
  }

  setStatus(code: StatusCode, message?: string): void {
    this.statusCode = code
    this.span.setStatus({ code: statusNumber(code), ...message === undefined ? {} : { message } })
  }

  addException(timeUnixNano: bigint, attributes: Readonly<Record<string, unknown>>): void {
    this.span.addEvent("exception", converted(attributes), toHrTime(timeUnixNano))
  }

  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    if (this.status._tag === "Ended") return
    Outcome.apply(this, exit, endTime, this.policy)
    this.status = { _tag: "Ended", startTime: this.status.startTime, endTime, exit }
    this.span.end(toHrTime(endTime))
  }
}

const converted = (attributes: Readonly<Record<string, unknown>>): Api.Attributes =>
  toOtelAttributes(Attributes.toRecord(Attributes.fromRecord(attributes, Attributes.noLimits).list))

/** A link of Effect's as the API has them. */
export const toOtelLink = ({ attributes, span }: Tracer.SpanLink): Api.Link => ({
  context: toOtelSpan(span).spanContext(),
  attributes: converted(attributes)
})
