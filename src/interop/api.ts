/**
 * The parts of `@opentelemetry/api` and of its SDK that are met here, as structures: what fits is taken, whichever version
 * it comes from, and no import of theirs is needed. A test holds the real types against them.
 */

/** Seconds and nanoseconds. */
export type HrTime = [seconds: number, nanoseconds: number]

/** A moment: seconds and nanoseconds, milliseconds since the Unix epoch or of `performance.now()`, or a date. */
export type TimeInput = HrTime | number | Date

/** Attributes of spans, events and links. */
export interface Attributes {
  [key: string]: AttributeValue | undefined
}

/** A primitive or a list of one kind of them. */
export type AttributeValue =
  | string
  | number
  | boolean
  | Array<null | undefined | string>
  | Array<null | undefined | number>
  | Array<null | undefined | boolean>

/** An immutable context (`context/README.md`). */
export interface Context {
  getValue(key: symbol): unknown
  setValue(key: symbol, value: unknown): Context
  deleteValue(key: symbol): Context
}

/** Members of a `tracestate` header. */
export interface TraceState {
  set(key: string, value: string): TraceState
  unset(key: string): TraceState
  get(key: string): string | undefined
  serialize(): string
}

/** What identifies a span. */
export interface SpanContext {
  traceId: string
  spanId: string
  isRemote?: boolean
  traceFlags: number
  traceState?: TraceState
}

/** A reference to another span. */
export interface Link {
  context: SpanContext
  attributes?: Attributes
  droppedAttributesCount?: number
}

/** `UNSET`, `OK`, `ERROR`. */
export type StatusCode = 0 | 1 | 2

/** The status of a span. */
export interface SpanStatus {
  code: number
  message?: string
}

/** What a program does with a span. */
export interface Span {
  spanContext(): SpanContext
  setAttribute(key: string, value: AttributeValue): this
  setAttributes(attributes: Attributes): this
  addEvent(name: string, attributesOrStartTime?: Attributes | TimeInput, startTime?: TimeInput): this
  addLink(link: Link): this
  addLinks(links: Array<Link>): this
  setStatus(status: SpanStatus): this
  updateName(name: string): this
  end(endTime?: TimeInput): void
  isRecording(): boolean
  recordException(exception: unknown, time?: TimeInput): void
}

/** Options of a span that is about to start. */
export interface SpanOptions {
  kind?: number
  attributes?: Attributes
  links?: Array<Link>
  startTime?: TimeInput
  root?: boolean
}

/** Starts spans. */
export interface Tracer {
  startSpan(name: string, options?: SpanOptions, context?: Context): Span
  startActiveSpan<F extends (span: never) => unknown>(name: string, fn: F): ReturnType<F>
  startActiveSpan<F extends (span: never) => unknown>(name: string, options: SpanOptions, fn: F): ReturnType<F>
  startActiveSpan<F extends (span: never) => unknown>(
    name: string,
    options: SpanOptions,
    context: Context,
    fn: F
  ): ReturnType<F>
}

/** Gives tracers. */
export interface TracerProvider {
  getTracer(name: string, version?: string, options?: { schemaUrl?: string }): Tracer
}

/** Knows which context is active. */
export interface ContextManager {
  active(): Context
  with<A extends Array<unknown>, F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F>
  bind<T>(context: Context, target: T): T
  enable(): this
  disable(): this
}

/** Reads a carrier. */
export interface TextMapGetter<Carrier = unknown> {
  keys(carrier: Carrier): Array<string>
  get(carrier: Carrier, key: string): undefined | string | Array<string>
}

/** Writes to a carrier. */
export interface TextMapSetter<Carrier = unknown> {
  set(carrier: Carrier, key: string, value: string): void
}

/** Carries contexts between processes. */
export interface TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void
  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context
  fields(): Array<string>
}

/** An entry of baggage. */
export interface BaggageEntry {
  value: string
  metadata?: { toString(): string }
}

/** Baggage of a context. */
export interface Baggage {
  getEntry(key: string): BaggageEntry | undefined
  getAllEntries(): Array<[string, BaggageEntry]>
  setEntry(key: string, entry: BaggageEntry): Baggage
  removeEntry(key: string): Baggage
  removeEntries(...keys: Array<string>): Baggage
  clear(): Baggage
}

/** Who emits. */
export interface Resource {
  readonly attributes: Attributes
  readonly asyncAttributesPending?: boolean
  waitForAsyncAttributes?(): Promise<void>
  merge(other: Resource | null): Resource
  getRawAttributes(): Array<[string, unknown]>
}

/** What makes spans: a library and its version. */
export interface InstrumentationScope {
  readonly name: string
  readonly version?: string | undefined
  readonly schemaUrl?: string | undefined
}

/** A named moment within a span. */
export interface TimedEvent {
  time: HrTime
  name: string
  attributes?: Attributes
  droppedAttributesCount?: number
}

/** A span as the SDK's processors and exporters read it. */
export interface ReadableSpan {
  readonly name: string
  readonly kind: number
  readonly spanContext: () => SpanContext
  readonly parentSpanContext?: SpanContext | undefined
  readonly startTime: HrTime
  readonly endTime: HrTime
  readonly status: SpanStatus
  readonly attributes: Attributes
  readonly links: Array<Link>
  readonly events: Array<TimedEvent>
  readonly duration: HrTime
  readonly ended: boolean
  readonly resource: Resource
  readonly instrumentationScope: InstrumentationScope
  readonly droppedAttributesCount: number
  readonly droppedEventsCount: number
  readonly droppedLinksCount: number
}

/** `sdk-trace-base`'s processor. */
export interface SpanProcessor {
  forceFlush(): Promise<void>
  onStart(span: never, parentContext: never): void
  onEnd(span: never): void
  shutdown(): Promise<void>
}

/** The result of an export: 0 is success, 1 failure. */
export interface ExportResult {
  code: number
  error?: Error
}

/** `sdk-trace-base`'s exporter. */
export interface SpanExporter {
  export(spans: Array<never>, resultCallback: (result: ExportResult) => void): void
  shutdown(): Promise<void>
  forceFlush?(): Promise<void>
}

/** `sdk-trace-base`'s sampler, of which little is expected. */
export interface Sampler {
  shouldSample(
    context: never,
    traceId: string,
    spanName: string,
    spanKind: number,
    attributes: Attributes,
    links: Array<never>
  ): { decision: number; attributes?: Readonly<Attributes>; traceState?: { serialize(): string } }
  toString(): string
}

/** `sdk-trace-base`'s id generator. */
export interface IdGenerator {
  generateTraceId(): string
  generateSpanId(): string
}

/** `resources`' detector. */
export interface ResourceDetector {
  detect(config?: never): {
    readonly attributes?: { [key: string]: AttributeValue | Promise<AttributeValue | undefined> | undefined }
    readonly schemaUrl?: string
  }
}

/** The global registry of the API. */
export interface Api {
  readonly trace: {
    setGlobalTracerProvider(provider: never): boolean
    disable(): void
  }
  readonly context: {
    setGlobalContextManager(manager: never): boolean
    disable(): void
  }
  readonly propagation: {
    setGlobalPropagator(propagator: never): boolean
    disable(): void
  }
}
