/** `Effect.withSpan` under a tracer whose spans hold nothing: what tracing costs before anyone records. */
import type * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { effectContender, withSpan } from "../programs/effectProgram.ts"

const attributes = new Map<string, unknown>()
const started: Tracer.SpanStatus = { _tag: "Started", startTime: 0n }

class NoopSpan implements Tracer.Span {
  readonly _tag = "Span"
  readonly spanId = "0000000000000001"
  readonly traceId = "00000000000000000000000000000001"
  readonly sampled = false
  readonly status = started
  readonly attributes = attributes
  readonly name: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly annotations: Context.Context<never>
  readonly links: ReadonlyArray<Tracer.SpanLink>
  readonly kind: Tracer.SpanKind

  constructor(options: Parameters<Tracer.Tracer["span"]>[0]) {
    this.name = options.name
    this.parent = options.parent
    this.annotations = options.annotations
    this.links = options.links
    this.kind = options.kind
  }

  end(): void {}
  attribute(): void {}
  event(): void {}
  addLinks(): void {}
}

export default effectContender({
  span: withSpan,
  layer: () => Layer.succeed(Tracer.Tracer, Tracer.make({ span: (options) => new NoopSpan(options) }))
})
