/** A telemetry that was started without Effect in sight. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as EffectTracer from "effect/Tracer"
import type { SignalSnapshot } from "../diagnostics/Ledger.ts"
import { type FlushResult, Telemetry, TelemetryLayer, type TelemetryShape } from "../Telemetry.ts"
import type { TelemetryTracer } from "../tracing/Tracer.ts"
import type { TracerCore } from "../tracing/TracerCore.ts"
import { type InitializeOptions, layerOptions } from "./handles.ts"

/** The parts of a telemetry that runs. */
export interface Parts {
  readonly core: TracerCore
  readonly telemetry: TelemetryShape
}

/** Options of a flush. */
export type FlushOptions = Parameters<TelemetryShape["flush"]>[0]

const nothing: FlushResult = { exported: 0, spooled: 0, left: 0, failed: 0 }

/** Delivers every span of a telemetry that has ended; never rejects. */
export const flushOf = (parts: Parts | undefined, options: FlushOptions): Promise<FlushResult> =>
  parts === undefined ? Promise.resolve(nothing) : Effect.runPromise(parts.telemetry.flush(options))

/** One telemetry, from its start to its end. */
export class Running {
  /** What runs: from when it is there to when it is told to stop. */
  parts: Parts | undefined = undefined
  /** Why it could not start. */
  failure: { readonly error: unknown } | undefined = undefined
  /** Rejects with the failure. */
  readonly ready: Promise<void>
  readonly #scope = Scope.makeUnsafe()
  #stopping: Promise<SignalSnapshot | undefined> | undefined = undefined

  /** Starts it: at once, unless a part has to be waited for. */
  constructor(options: InitializeOptions | undefined, onFailure?: () => void) {
    const layer = TelemetryLayer(layerOptions(options ?? {}))
    const services: Layer.Layer<never, unknown> = options?.services ?? Layer.empty
    const fiber = Effect.runFork(Layer.buildWithScope(Layer.provide(layer, services), this.#scope))
    this.ready = new Promise((resolve, reject) => {
      fiber.addObserver((exit) => {
        if (Exit.isSuccess(exit)) {
          const tracer = Context.get(exit.value, EffectTracer.Tracer) as TelemetryTracer
          if (this.#stopping === undefined) {
            this.parts = { core: tracer.core, telemetry: Context.get(exit.value, Telemetry) }
          }
          return resolve()
        }
        const error = Cause.squash(exit.cause)
        this.failure = { error }
        onFailure?.()
        reject(error)
      })
    })
  }

  /** Delivers what has ended and stops; never rejects. Answers with the closing ledger of what ran. */
  stop(): Promise<SignalSnapshot | undefined> {
    return this.#stopping ??= this.#stop()
  }

  async #stop(): Promise<SignalSnapshot | undefined> {
    const { parts } = this
    this.parts = undefined
    await this.ready.catch(() => {})
    await Effect.runPromise(Scope.close(this.#scope, Exit.void))
    return parts === undefined ? undefined : await Effect.runPromise(parts.telemetry.ledger)
  }
}
