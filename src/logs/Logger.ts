/**
 * Effect's log messages as log records, and a logger for code without Effect.
 *
 * **Details**
 *
 * `Effect.log*` reaches every logger of `Logger.CurrentLoggers`; this one is added to them. A message becomes a record
 * thus (`logs/data-model.md`):
 *
 * - the body is the message, or a list of its parts; without one, the message of the error.
 * - attributes are the log annotations, `effect.fiberId`, and `effect.log_span.<label>` for each log span: the milliseconds
 *   since it began.
 * - the annotation `event.name` makes the record an event of that name.
 * - a cause, or else an error among the parts of the message, becomes `exception.type`, `exception.message`,
 *   `exception.stacktrace` and, of a tagged error, `exception.field.<name>`; an annotation of the same name wins. A cause of
 *   interruptions only sets `effect.fiber.interrupted`.
 * - trace id, span id and trace flags are those of the fiber's current span; the scope is that of `Trace.withScope`.
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as EffectLogger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import type * as Tracer from "effect/Tracer"
import { ofFiber } from "../context/traceLocal.ts"
import { isSuppressed } from "../delivery/suppressed.ts"
import { LogsLedger } from "../diagnostics/CurrentLedger.ts"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import type { SignalLedger } from "../diagnostics/Ledger.ts"
import { describeError } from "../internal/describeError.ts"
import { type WallTime, wallTime } from "../internal/wallTime.ts"
import type { AttributeLimits } from "../model/Attributes.ts"
import { defaultScope, type InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { Resource } from "../model/Resource.ts"
import { describeException } from "../tracing/Outcome.ts"
import { compile, LogRecordLimits } from "./LogRecordLimits.ts"
import { LogRecordProcessor, type LogRecordProcessorShape, type LogSink } from "./LogRecordProcessor.ts"
import { bodyOf, describeCause, errorIn, LogRecordDraft } from "./recordOf.ts"
import * as Severity from "./Severity.ts"

/** What a record says, for code that has no `Effect.log`. */
export interface LogRecordInput {
  readonly body?: unknown
  /** Default none. */
  readonly severity?: Severity.SeverityInput | undefined
  /** The severity in the words of its source. Default: its name, as in `INFO`. */
  readonly severityText?: string | undefined
  /** Makes the record an event of that name. */
  readonly eventName?: string | undefined
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
  /** An error that the record is about, described in `exception.*` attributes. */
  readonly exception?: unknown
  /** The span it belongs to. Default none. */
  readonly span?: Tracer.AnySpan | undefined
  /** Nanoseconds since the Unix epoch. Default now. */
  readonly timeUnixNano?: bigint | undefined
  readonly scope?: InstrumentationScope | undefined
}

/** Everything a logger is made of. */
export interface LoggerCoreOptions {
  readonly resource: Resource
  readonly limits: LogRecordLimits
  readonly processor: LogRecordProcessorShape
  readonly ledger: SignalLedger
  readonly diagnostics: Diagnostics
  readonly wall: WallTime
  /** Scope of records that name none. Default: `effect-telemetry`. */
  readonly scope?: InstrumentationScope | undefined
}

const end: LogSink = { emit() {}, drop() {} }

// Within this time of the message, in nanoseconds, the message was logged now, and the finer clock tells when.
const sameMoment = 2e6

/** A logger behind `Effect.log*` and behind plain functions. Synchronous; never throws. */
export class LoggerCore {
  readonly options: LoggerCoreOptions
  readonly #limits: AttributeLimits
  #isShutDown = false

  constructor(options: LoggerCoreOptions) {
    this.options = options
    this.#limits = compile(options.limits)
  }

  /** Whether anybody would look at such a record (`logs/api.md#enabled`). */
  isEnabled(probe: { readonly severityNumber?: number; readonly eventName?: string }): boolean {
    return this.options.processor.enabled?.({
      severityNumber: probe.severityNumber ?? 0,
      eventName: probe.eventName ?? ""
    }) !== false
  }

  /** Makes a record of what a fiber logged. */
  log(message: {
    readonly message: unknown
    readonly logLevel: LogLevel.LogLevel
    readonly cause: Cause.Cause<unknown>
    readonly fiber: Fiber.Fiber<unknown, unknown>
    readonly date: Date
  }): void {
    const { cause, date, fiber, logLevel } = message
    if (isSuppressed(fiber)) return
    const severityNumber = Severity.ofLevel(logLevel)
    const annotations = fiber.getRef(References.CurrentLogAnnotations)
    if (!this.#wants(severityNumber, annotations)) return
    const limits = this.#limits
    const observed = this.options.wall.now()
    const millis = date.getTime()
    const behind = Number(observed) - millis * 1e6
    const time = behind >= 0 && behind < sameMoment ? observed : BigInt(millis) * 1_000_000n
    const record = new LogRecordDraft(
      time,
      observed,
      severityNumber,
      Severity.textOf(logLevel),
      ofFiber(fiber).scope ?? this.options.scope ?? defaultScope,
      this.options.resource
    )
    record.within(fiber.cache.span)
    record.attributes(annotations, limits)
    record.attribute("effect.fiberId", fiber.id, limits)
    const spans = fiber.getRef(References.CurrentLogSpans)
    for (const [label, since] of spans) record.attribute(`effect.log_span.${label}`, millis - since, limits)
    const parts = message.message
    const content = Array.isArray(parts) && parts.length < 2 ? parts[0] : parts
    let described: Readonly<Record<string, unknown>> | undefined
    if (cause.reasons.length > 0) {
      described = describeCause(cause)
      if (described === undefined) record.attribute("effect.fiber.interrupted", true, limits)
    } else if (typeof content === "object") {
      const error = errorIn(content)
      if (error !== undefined) described = describeException(error)
    }
    if (described !== undefined) record.exception(described, limits)
    record.body = bodyOf(content ?? described?.["exception.message"], limits.depth)
    this.#emit(record)
  }

  /** Makes a record of `input`. Whatever goes wrong is told in diagnostics. */
  emit(input: LogRecordInput): void {
    try {
      this.#record(input)
    } catch (error) {
      this.failed(error)
    }
  }

  /** Tells that something could not be recorded. */
  failed(error: unknown): void {
    const { diagnostics } = this.options
    diagnostics.report("error", "logger", `a log message could not be recorded: ${describeError(error)}`)
  }

  #record(input: LogRecordInput): void {
    const severityNumber = input.severity === undefined ? 0 : Severity.fromInput(input.severity)
    const eventName = input.eventName ?? ""
    if (!this.isEnabled({ severityNumber, eventName })) return
    const limits = this.#limits
    const observed = this.options.wall.now()
    const record = new LogRecordDraft(
      input.timeUnixNano ?? observed,
      observed,
      severityNumber,
      input.severityText ?? Severity.nameOf(severityNumber),
      input.scope ?? this.options.scope ?? defaultScope,
      this.options.resource
    )
    record.within(input.span)
    if (input.attributes !== undefined) record.attributes(input.attributes, limits)
    if (eventName !== "") record.eventName = eventName
    const error = input.exception ?? errorIn(input.body)
    const described = error === undefined ? undefined : describeException(error)
    if (described !== undefined) record.exception(described, limits)
    record.body = bodyOf(input.body ?? described?.["exception.message"], limits.depth)
    this.#emit(record)
  }

  /** From now on, records are booked as `shutdown`. */
  shutDown(): void {
    this.#isShutDown = true
  }

  #wants(severityNumber: number, annotations: Readonly<Record<string, unknown>>): boolean {
    const { enabled } = this.options.processor
    if (enabled === undefined) return true
    const name = annotations["event.name"]
    return enabled({ severityNumber, eventName: typeof name === "string" ? name : "" })
  }

  #emit(record: LogRecordDraft): void {
    const { ledger, processor } = this.options
    ledger.created++
    if (this.#isShutDown) {
      for (const account of processor.accounts) account.drop("shutdown")
    } else processor.onEmit(record, end)
  }
}

/** Options of {@link make}. */
export interface LoggerOptions {
  readonly resource: Resource
  /** Scope of records that name none. Default: `effect-telemetry`. */
  readonly scope?: InstrumentationScope | undefined
}

/** The logger of a program, for code that emits records without `Effect.log`. */
export class Logger extends Context.Service<Logger, LoggerCore>()("effect-telemetry/logs/Logger") {}

/** Makes a logger over the `LogRecordProcessor` in context, until the scope closes. */
export const make = Effect.fnUntraced(function*(
  options: LoggerOptions
): Effect.fn.Return<LoggerCore, never, LogRecordProcessor | Scope.Scope> {
  const core = new LoggerCore({
    ...options,
    limits: yield* LogRecordLimits,
    processor: yield* LogRecordProcessor,
    ledger: yield* LogsLedger,
    diagnostics: yield* Diagnostics,
    wall: wallTime(yield* Clock.Clock)
  })
  yield* Effect.addFinalizer(() => Effect.sync(() => core.shutDown()))
  return core
})

/** The logger that Effect calls. Whatever goes wrong in it is told in diagnostics, and not to the program. */
export const toEffectLogger = (core: LoggerCore): EffectLogger.Logger<unknown, void> =>
  EffectLogger.make((message) => {
    try {
      core.log(message)
    } catch (error) {
      core.failed(error)
    }
  })

/** The context in which Effect calls the logger, beside those that are there, and in which it is found as a service. */
export const install = (core: LoggerCore): Effect.Effect<Context.Context<Logger>> =>
  Effect.map(
    EffectLogger.CurrentLoggers,
    (loggers) =>
      Context.make(Logger, core).pipe(
        Context.add(EffectLogger.CurrentLoggers, new Set([...loggers, toEffectLogger(core)]))
      )
  )

/** Adds the logger to those that are there, and provides it as a service. */
export const layer = (options: LoggerOptions): Layer.Layer<Logger, never, LogRecordProcessor> =>
  Layer.effectContext(Effect.flatMap(make(options), install))

/**
 * Emits an event: a record with a name (`logs/data-model.md#events`), in the fiber's current span.
 *
 * **Details**
 *
 * Severity is `Info` unless stated. Does nothing where no {@link Logger} is provided.
 */
export const event = (name: string, input?: Omit<LogRecordInput, "eventName" | "span">): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    const core = fiber.context.mapUnsafe.get(Logger.key) as LoggerCore | undefined
    if (core === undefined || isSuppressed(fiber)) return Effect.void
    const scope = input?.scope ?? ofFiber(fiber).scope
    core.emit({
      severity: "Info",
      ...input,
      ...scope === undefined ? {} : { scope },
      ...fiber.cache.span === undefined ? {} : { span: fiber.cache.span },
      eventName: name
    })
    return Effect.void
  })
