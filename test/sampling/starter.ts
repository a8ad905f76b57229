/** Spans started by the tracer itself, with chosen ids, parents and tracestates, and no pipeline behind them. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import { composite } from "../../src/context/Propagator.ts"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { SignalLedger } from "../../src/diagnostics/Ledger.ts"
import { wallTime } from "../../src/internal/wallTime.ts"
import * as Resource from "../../src/model/Resource.ts"
import * as SpanProcessor from "../../src/processors/SpanProcessor.ts"
import type { SamplerShape } from "../../src/sampling/Sampler.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import { type IdGenerator, seeded } from "../../src/tracing/IdGenerator.ts"
import { toExternalSpan } from "../../src/tracing/parentContext.ts"
import type { Span } from "../../src/tracing/Span.ts"
import { defaults } from "../../src/tracing/SpanLimits.ts"
import type { SpanStart } from "../../src/tracing/spanStart.ts"
import { TracerCore } from "../../src/tracing/TracerCore.ts"

/** What a remote parent brings. */
export interface Remote {
  readonly traceId?: string
  readonly sampled?: boolean
  readonly traceState?: string
  /** `false` for a span of another tracer in this process. Default `true`. */
  readonly isRemote?: boolean
}

const diagnostics = Diagnostics.make({ level: "none" })

/** A tracer over `sampler`; ids come from a seed unless `ids` says otherwise. */
export const starter = (sampler: SamplerShape, ids: IdGenerator = seeded(1)) => {
  const clock = Context.get(Context.empty(), Clock.Clock)
  const core = new TracerCore({
    sampler,
    ids,
    processor: SpanProcessor.make({ name: "none", onEnd() {} }),
    propagator: composite([], diagnostics),
    resource: Resource.make({ "service.name": "shop" }),
    limits: defaults,
    outcome: {},
    ledger: new SignalLedger(),
    diagnostics,
    clock,
    wall: wallTime(clock)
  })
  const start = (given: Partial<SpanStart>): Span =>
    core.start({ name: "span", kind: "internal", parent: undefined, startTimeUnixNano: 0n, ...given })
  return {
    core,
    start,
    root: (given?: Partial<SpanStart>) => start({ ...given }),
    child: (parent: Span, given?: Partial<SpanStart>) => start({ ...given, parent }),
    under: (remote: Remote, given?: Partial<SpanStart>) =>
      start({
        ...given,
        parent: toExternalSpan({
          traceId: remote.traceId ?? "0af7651916cd43dd8448eb211c80319c",
          spanId: "b7ad6b7169203331",
          traceFlags: remote.sampled === false ? 0 : 1,
          traceState: remote.traceState ?? "",
          isRemote: remote.isRemote ?? true,
          baggage: undefined
        })
      })
  }
}

/** A trace id whose last seven bytes are this randomness. */
export const traceIdOf = (hi: number, lo: number): string =>
  `0af7651916cd43dd84${hi.toString(16).padStart(7, "0")}${lo.toString(16).padStart(7, "0")}`

/** The randomness of a trace id. */
export const randomnessOf = (traceId: string): Threshold.Threshold => Threshold.fromHex(traceId.slice(-14))!
