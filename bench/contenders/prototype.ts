/**
 * The floor: what is left of a tracer that encodes each span as it ends when nothing is done but that. No sampler, limits,
 * redaction, ledger, scopes, exceptions, retries or deadlines, and a response that nobody reads: not fit for use, and a
 * measure of what all those cost. Its encoder is ours.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { ReadableSpan } from "effect-telemetry/model/ReadableSpan"
import { encoder } from "effect-telemetry/otlp/OtlpProtobuf"
import * as http from "node:http"
import type { Setup } from "../programs/Load.ts"
import { effectContender, withSpan } from "../programs/effectProgram.ts"

const resource = { attributes: { "service.name": "shop" } }
const scope = { name: "prototype" }
const batchSize = 512
const none: Array<never> = []
const started: Tracer.SpanStatus = { _tag: "Started", startTime: 0n }
const attributes = new Map<string, unknown>()

const words = new Int32Array(1_024)
let used = words.length
const word = (): number => {
  if (used === words.length) {
    crypto.getRandomValues(words)
    used = 0
  }
  return words[used++]!
}

class PrototypeSpan implements Tracer.Span, ReadableSpan {
  readonly _tag = "Span"
  readonly sampled = true
  readonly attributeList: ReadableSpan["attributeList"] = []
  endTimeUnixNano = 0n
  readonly name: string
  readonly kind: Tracer.SpanKind
  readonly annotations: Context.Context<never>
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly startTimeUnixNano: bigint
  readonly traceId0: number
  readonly traceId1: number
  readonly traceId2: number
  readonly traceId3: number
  readonly spanId0 = word()
  readonly spanId1 = word()
  readonly parentSpanId0: number
  readonly parentSpanId1: number
  readonly #sender: Sender

  constructor(options: Parameters<Tracer.Tracer["span"]>[0], sender: Sender) {
    const parent = Option.getOrUndefined(options.parent)
    const own = parent instanceof PrototypeSpan ? parent : undefined
    this.name = options.name
    this.kind = options.kind
    this.annotations = options.annotations
    this.parent = options.parent
    this.startTimeUnixNano = options.startTime
    this.traceId0 = own?.traceId0 ?? word()
    this.traceId1 = own?.traceId1 ?? word()
    this.traceId2 = own?.traceId2 ?? word()
    this.traceId3 = own?.traceId3 ?? word()
    this.parentSpanId0 = own?.spanId0 ?? 0
    this.parentSpanId1 = own?.spanId1 ?? 0
    this.#sender = sender
  }

  get traceId(): string {
    return ""
  }

  get spanId(): string {
    return ""
  }

  get parentSpanId(): undefined {
    return undefined
  }

  get status(): Tracer.SpanStatus {
    return started
  }

  get attributes(): ReadonlyMap<string, unknown> {
    return attributes
  }

  get links(): ReadonlyArray<Tracer.SpanLink> {
    return none
  }

  get parentIsRemote(): boolean {
    return false
  }

  get traceFlags(): number {
    return 3
  }

  get traceState(): string {
    return ""
  }

  get statusCode(): "UNSET" {
    return "UNSET"
  }

  get statusMessage(): string {
    return ""
  }

  get droppedAttributesCount(): number {
    return 0
  }

  get eventList(): ReadableSpan["eventList"] {
    return none
  }

  get droppedEventsCount(): number {
    return 0
  }

  get linkList(): ReadableSpan["linkList"] {
    return none
  }

  get droppedLinksCount(): number {
    return 0
  }

  get scope(): ReadableSpan["scope"] {
    return scope
  }

  get resource(): ReadableSpan["resource"] {
    return resource
  }

  attribute(key: string, value: unknown): void {
    this.attributeList.push(key, value as string)
  }

  event(): void {}

  addLinks(): void {}

  end(endTime: bigint): void {
    this.endTimeUnixNano = endTime
    this.#sender.take(this)
  }
}

class Sender {
  readonly #agent = new http.Agent({ keepAlive: true })
  readonly #options: http.RequestOptions
  readonly #full: Array<ReturnType<typeof encoder.makeSpanBatch>> = []
  #batch = encoder.makeSpanBatch()
  #sending: Promise<void> | undefined
  #memory: Uint8Array | undefined

  constructor(endpoint: string) {
    const { hostname, pathname, port } = new URL(`${endpoint}/v1/traces`)
    this.#options = { method: "POST", hostname, port, path: pathname, agent: this.#agent }
  }

  take(span: PrototypeSpan): void {
    this.#batch.add(span, Infinity)
    if (this.#batch.count === batchSize) this.#seal()
  }

  #seal(): void {
    this.#full.push(this.#batch)
    this.#batch = encoder.makeSpanBatch()
    this.#sending ??= this.#send()
  }

  async #send(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve))
    for (let batch = this.#full.shift(); batch !== undefined; batch = this.#full.shift()) {
      const body = batch.toBody(this.#memory)
      batch.release?.()
      await this.#post(body)
      this.#memory = new Uint8Array(body.buffer)
    }
    this.#sending = undefined
  }

  #post(body: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = { "content-type": encoder.contentType, "content-length": body.byteLength }
      const request = http.request({ ...this.#options, headers }, (response) => {
        response.resume().on("end", resolve)
      })
      request.on("error", reject).end(body)
    })
  }

  async close(): Promise<void> {
    this.#seal()
    await this.#sending
    this.#agent.destroy()
  }
}

const layer = ({ endpoint }: Setup) =>
  Layer.effect(
    Tracer.Tracer,
    Effect.map(
      Effect.acquireRelease(Effect.sync(() => new Sender(endpoint)), (sender) => Effect.promise(() => sender.close())),
      (sender) => Tracer.make({ span: (options) => new PrototypeSpan(options, sender) })
    )
  )

export default effectContender({ span: withSpan, layer })
