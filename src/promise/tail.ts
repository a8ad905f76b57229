import type * as Layer from "effect/Layer"
import * as Tail from "../processors/TailSampler.ts"

/** Options of {@link TailSampler}. */
export type TailSamplerOptions = Tail.Options

/**
 * Holds the spans of each trace until it is known whether the trace is worth keeping; see the module `TailSampler`.
 *
 * **Example** (Errors and slow traces first, within 500 spans a second)
 *
 * ```ts
 * import { TailSampler, TraceContext } from "effect-telemetry/promise"
 *
 * await TraceContext.initialize({
 *   serviceName: "shop",
 *   tailSampler: new TailSampler({
 *     policy: {
 *       rules: [
 *         { id: "error", when: { errorCount: { ge: 1 } }, weight: 20, mustKeep: true },
 *         { id: "slow", when: { traceDuration: { ge: "2 seconds" } }, weight: 10 }
 *       ],
 *       budget: { perSecond: 500 }
 *     }
 *   })
 * })
 * ```
 */
export class TailSampler {
  /** @internal */
  readonly layer: Layer.Layer<Tail.TailSampler, Tail.TailSamplerError>

  constructor(options?: TailSamplerOptions) {
    this.layer = Tail.layer(options)
  }
}
