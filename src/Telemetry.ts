/**
 * The front door: one layer that installs the tracer, the processors and the exporters, and one service to flush them
 * and to ask how they fare.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as EffectTracer from "effect/Tracer"
import { buildPipeline, buildResource, type PipelineOptions } from "./assembly.ts"
import { ofProcess } from "./context/EnvironmentCarrier.ts"
import { Fetch } from "./context/HttpReferences.ts"
import * as Propagator from "./context/Propagator.ts"
import * as leaving from "./delivery/leaving.ts"
import * as ProcessExit from "./delivery/ProcessExit.ts"
import { ShutdownDeadline } from "./delivery/ShutdownDeadline.ts"
import { TracesLedger } from "./diagnostics/CurrentLedger.ts"
import * as Diagnostics from "./diagnostics/Diagnostics.ts"
import { type AccountSnapshot, SignalLedger, type SignalSnapshot, snapshot } from "./diagnostics/Ledger.ts"
import * as selfMetrics from "./diagnostics/selfMetrics.ts"
import { holding } from "./internal/holding.ts"
import { optionalService } from "./internal/optionalService.ts"
import type { Resource } from "./model/Resource.ts"
import { SpanProcessor } from "./processors/SpanProcessor.ts"
import { TailSampler, type TailStats } from "./processors/tailService.ts"
import type { ResourceDetector } from "./resource/ResourceDetector.ts"
import { Sampler } from "./sampling/Sampler.ts"
import * as basicSampler from "./sampling/basicSampler.ts"
import * as TelemetryConfig from "./TelemetryConfig.ts"
import { propagatingFetch } from "./tracing/fetchPropagation.ts"
import { OutcomePolicy } from "./tracing/Outcome.ts"
import { SpanLimits } from "./tracing/SpanLimits.ts"
import * as Tracer from "./tracing/Tracer.ts"

/** What became of the spans that a flush found. Counts add up over all destinations. */
export interface FlushResult {
  /** Delivered while the flush ran. */
  readonly exported: number
  /** On disk when it returned. */
  readonly spooled: number
  /**
   * What the spans on disk survive for certain, where there are any: the end of the process, or of the power. With
   * `spool.durability: "power"` a flush waits for the disk; if that fails, or takes too long, it is the process.
   */
  readonly survives?: "process" | "power"
  /** Still in memory when it returned, because the time was over. */
  readonly left: number
  /** Rejected or given up while the flush ran; the ledger has the reasons. */
  readonly failed: number
}

/** How the pipeline fares. */
export interface Health {
  /**
   * `disabled`: nothing is recorded; `failing`: a destination's last export failed, or it does not answer; `ok`
   * otherwise.
   */
  readonly status: "ok" | "failing" | "disabled"
  readonly destinations: ReadonlyArray<
    AccountSnapshot & {
      /** What went wrong last, `undefined` while exports succeed. */
      readonly failing: string | undefined
    }
  >
  /** What was stated in options or environment and could not be taken. */
  readonly problems: ReadonlyArray<string>
  /** What the tail sampler holds and has decided, where there is one. */
  readonly tail?: TailStats
}

/** What a destination answered when it was asked. */
export interface ProbeResult {
  readonly destination: string
  /** Why it accepts no data; `undefined` when it does. */
  readonly trouble: string | undefined
}

/** The running telemetry of a program. */
export class Telemetry extends Context.Service<Telemetry, {
  /**
   * Delivers every span that has ended, those in flight included.
   *
   * **Details**
   *
   * Returns when all is settled, or after `within` (default 10 seconds); what is not delivered by then stays in the
   * queue and goes on.
   */
  readonly flush: (options?: { readonly within?: Duration.Input | undefined }) => Effect.Effect<FlushResult>
  readonly health: Effect.Effect<Health>
  /**
   * Asks each destination now whether it accepts data, with a request without spans, and says why not. A destination
   * that cannot be asked (a console, a file) is left out.
   */
  readonly probe: Effect.Effect<ReadonlyArray<ProbeResult>>
  /** Every span accounted for. */
  readonly ledger: Effect.Effect<SignalSnapshot>
  /** Who emits. */
  readonly resource: Resource
}>()("effect-telemetry/Telemetry") {}

/** The implementation type of the {@link Telemetry} service. */
export type TelemetryShape = Telemetry["Service"]

/** Options of {@link TelemetryLayer}: what can be stated as data, and what only code can say. */
export interface TelemetryLayerOptions extends TelemetryConfig.TelemetryOptions, PipelineOptions {
  /** Further sources of resource attributes; a later one wins. */
  readonly resourceDetectors?: ReadonlyArray<ResourceDetector> | undefined
  /** Which failures are expected and which success values are errors. */
  readonly outcome?: OutcomePolicy | undefined
  /** The environment to read `OTEL_*` from. Default: the provided `ConfigProvider`, else the process's. */
  readonly env?: TelemetryConfig.Environment | undefined
}

const make = Effect.fnUntraced(function*(options: TelemetryLayerOptions) {
  const { env, exporters, outcome, processors, resourceDetectors, ...stated } = options
  const { config, problems } = yield* TelemetryConfig.load({ options: stated, env })
  const clock = yield* Clock.Clock

  const diagnostics = (yield* optionalService(Diagnostics.Diagnostics)) ?? Diagnostics.make({ level: config.logLevel })
  TelemetryConfig.report(problems, diagnostics)

  const deadline = { at: undefined as bigint | undefined, hasten: new Set<() => void>() }
  const hasten = (): void => deadline.hasten.forEach((call) => call())
  const exit = yield* ProcessExit.make
  const providedProcessor = yield* optionalService(SpanProcessor)
  // Processors that were built elsewhere were built with the ledger there.
  const ledger = providedProcessor !== undefined ? yield* TracesLedger : new SignalLedger()
  const references = Context.make(Diagnostics.Diagnostics, diagnostics).pipe(
    Context.add(TracesLedger, ledger),
    Context.add(ShutdownDeadline, deadline),
    Context.add(ProcessExit.ProcessExit, exit),
    Context.add(SpanLimits, config.spanLimits),
    Context.add(OutcomePolicy, outcome ?? (yield* OutcomePolicy))
  )

  return yield* Effect.provideContext(
    Effect.gen(function*() {
      const resource = yield* buildResource(config, resourceDetectors ?? [])
      const processor = providedProcessor ??
        (yield* buildPipeline(config, { exporters, processors, tracesExporters: stated.tracesExporters }))
      const sampler = (yield* optionalService(Sampler)) ??
        (yield* basicSampler.make(config.sampler, { serviceName: config.serviceName }))
      const propagator = (yield* optionalService(Propagator.Propagator)) ??
        Propagator.composite(config.propagators.map((name) => propagators[name]), diagnostics)
      const tracer = yield* Tracer.make({
        resource,
        disabled: config.disabled,
        followAsync: config.followAsync,
        trustIncoming: config.trustIncoming,
        propagateTo: config.propagateTo,
        propagateBaggageTo: config.propagateBaggageTo,
        environment: config.continueFromEnvironment ? env ?? ofProcess() : undefined
      }).pipe(
        Effect.provideService(SpanProcessor, processor),
        Effect.provideService(Sampler, sampler),
        Effect.provideService(Propagator.Propagator, propagator)
      )
      // Added last, so that it runs first: spans are ended while the processors still take them.
      exit.add(() => tracer.core.endOpen("exit"))
      yield* leaving.install({
        signals: config.shutdownOn,
        created: () => ledger.created,
        isWaiting: () => totals(ledger).queued > 0,
        endOpen: (reason) => tracer.core.endOpen(reason),
        flush: Effect.suspend(() => {
          hasten()
          return Effect.timeoutOption(processor.flush, config.shutdownTimeout)
        }),
        runExitHooks: exit.run
      })
      // Every part closes within the same span of time.
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          tracer.core.endOpen("shutdown")
          deadline.at = clock.monotonicTimeNanosUnsafe() + BigInt(Math.ceil(config.shutdownTimeout * 1e6))
          hasten()
        })
      )

      if (config.selfMetrics && !config.disabled) yield* selfMetrics.register(ledger)

      const tail = providedProcessor === undefined && !config.disabled ? yield* optionalService(TailSampler) : undefined
      const failing = (): ReadonlyArray<string | undefined> => ledger.accounts.map((account) => account.failing)
      const probe = Effect.suspend(() =>
        Effect.forEach(
          ledger.accounts.filter(({ check }) => check !== undefined),
          ({ check, destination }) =>
            Effect.map(
              // Not in the words of the defect: those may hold anything.
              Effect.catchDefect(check!, () => Effect.succeed("the exporter failed with a defect")),
              (trouble): ProbeResult => ({ destination, trouble })
            ),
          { concurrency: "unbounded" }
        )
      ).pipe(Effect.withTracerEnabled(false))
      if (config.startupProbe) yield* Effect.forkScoped(Effect.map(probe, reportProbe(diagnostics)))
      const telemetry: TelemetryShape = {
        resource,
        ledger: Effect.sync(() => snapshot(ledger)),
        probe: holding(probe),
        flush: (flushOptions) =>
          Effect.suspend(() => {
            const before = totals(ledger)
            return Effect.map(
              Effect.timeoutOption(processor.flush, flushOptions?.within ?? "10 seconds"),
              (): FlushResult => {
                const after = totals(ledger)
                return {
                  exported: after.exported - before.exported,
                  failed: after.failed - before.failed,
                  spooled: after.spooled,
                  ...after.survives === undefined ? {} : { survives: after.survives },
                  left: after.queued
                }
              }
            )
          }),
        health: Effect.map(tail === undefined ? Effect.undefined : tail.stats, (stats): Health => ({
          status: config.disabled ? "disabled" : failing().some((text) => text !== undefined) ? "failing" : "ok",
          destinations: snapshot(ledger).destinations.map((account, index) => ({
            ...account,
            failing: failing()[index]
          })),
          problems: problems.map((problem) => problem.message),
          ...stats === undefined ? {} : { tail: stats }
        }))
      }
      const services = Context.make(Telemetry, telemetry).pipe(
        Context.add(EffectTracer.Tracer, tracer),
        Context.add(Fetch, propagatingFetch(tracer.core, yield* Fetch))
      )
      const { processParent } = tracer.core.options
      return processParent === undefined ? services : Context.add(services, EffectTracer.ParentSpan, processParent)
    }),
    references
  )
})

const reportProbe = (diagnostics: Diagnostics.Diagnostics) => (results: ReadonlyArray<ProbeResult>): void => {
  for (const { destination, trouble } of results) {
    if (trouble === undefined) {
      diagnostics.report("info", `probe.${destination}`, `${destination}: the destination accepts data`)
    } else {
      diagnostics.report("error", `probe.${destination}`, `${destination}: the destination accepts no data: ${trouble}`)
    }
  }
}

const propagators: Readonly<Record<TelemetryConfig.PropagatorName, Propagator.TextMapPropagator>> = {
  tracecontext: Propagator.traceContext,
  baggage: Propagator.baggage,
  b3: Propagator.b3,
  b3multi: Propagator.b3multi,
  jaeger: Propagator.jaeger
}

const totals = (ledger: SignalLedger) => {
  const sum = { exported: 0, failed: 0, spooled: 0, queued: 0, survives: undefined as FlushResult["survives"] }
  for (const account of ledger.accounts) {
    sum.exported += account.exported
    sum.failed += account.rejectedTotal + account.droppedTotal
    sum.spooled += account.spooled
    sum.queued += account.queued
    if (account.spooled > 0 && sum.survives !== "process") sum.survives = account.survives?.() ?? "process"
  }
  return sum
}

/**
 * Turns every span of a program into OpenTelemetry data that arrives.
 *
 * **Details**
 *
 * What is not stated in `options` is read from `OTEL_*`, then has the specification's default: spans go by OTLP over
 * HTTP, in protobuf, to `http://localhost:4318/v1/traces`. Every part can be replaced by providing its service to this
 * layer: `Sampler`, `Propagator`, `SpanExporter`, `SpanProcessor`, `IdGenerator`, `Diagnostics`, `Transport`. When the
 * layer's scope closes, what has ended is delivered within `shutdownTimeout`; the rest is counted and told.
 *
 * Fails with `TelemetryConfigError` for options that cannot be taken. A variable that cannot be taken is a warning.
 */
export const TelemetryLayer = (
  options?: TelemetryLayerOptions
): Layer.Layer<Telemetry, TelemetryConfig.TelemetryConfigError> => Layer.effectContext(make(options ?? {}))

/** {@link FlushResult} of everything that has ended so far, for programs that hold the service. */
export const flush = (
  options?: { readonly within?: Duration.Input | undefined }
): Effect.Effect<FlushResult, never, Telemetry> => Effect.flatMap(Telemetry, (telemetry) => telemetry.flush(options))
