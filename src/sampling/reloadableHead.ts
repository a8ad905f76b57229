/** A head sampler whose configuration changes while it runs. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as AdaptiveSampler from "./AdaptiveSampler.ts"
import * as DryRun from "./DryRun.ts"
import type { SamplerShape } from "./Sampler.ts"
import * as SamplerConfig from "./SamplerConfig.ts"
import { canonical, type SamplingConfig, versionOf } from "./SamplingConfig.ts"

/** What is asked stays the same; what answers is swapped. */
export class ReloadableHead implements SamplerShape {
  #current: SamplerShape
  configVersion: string

  constructor(sampler: SamplerShape, configVersion: string) {
    this.#current = sampler
    this.configVersion = configVersion
  }

  swap(sampler: SamplerShape, configVersion: string): void {
    this.#current = sampler
    this.configVersion = configVersion
  }

  get description(): string {
    return this.#current.description
  }

  readonly decide: SamplerShape["decide"] = (input) => this.#current.decide(input)

  get decideByParent(): SamplerShape["decideByParent"] {
    return this.#current.decideByParent
  }
}

/** A part of a sampler that learns, or asks others. */
interface Part {
  readonly config: SamplerConfig.SamplerConfig
  readonly sampler: SamplerShape
  readonly scope: Scope.Closeable
}

/** Parts by their configuration. Two that are configured alike are two all the same. */
type Parts = Map<string, Array<Part>>

const closeAll = (parts: Parts): Effect.Effect<void> =>
  Effect.forEach([...parts.values()].flat(), ({ scope }) => Scope.close(scope, Exit.void), { discard: true })

const addTo = (parts: Parts, key: string, part: Part): void => {
  const alike = parts.get(key)
  if (alike === undefined) parts.set(key, [part])
  else alike.push(part)
}

const takeFrom = (parts: Parts, key: string): Part | undefined => parts.get(key)?.shift()

type Adaptive = Extract<SamplerConfig.SamplerConfig, { readonly adaptive: unknown }>

const asAdaptive = (config: SamplerConfig.SamplerConfig): Adaptive | undefined =>
  typeof config === "object" && "adaptive" in config ? config : undefined

const unitOf = ({ adaptive }: Adaptive): string => adaptive.spansPerSecond === undefined ? "traces" : "spans"

/** What an earlier adaptive sampler of the same keys and unit has learned, whose other options were different. */
const learned = (
  config: SamplerConfig.SamplerConfig,
  earlier: Parts
): Effect.Effect<AdaptiveSampler.AdaptiveState> | undefined => {
  const adaptive = asAdaptive(config)
  if (adaptive === undefined) return undefined
  for (const alike of earlier.values()) {
    const before = alike[0] === undefined ? undefined : asAdaptive(alike[0].config)
    if (
      before !== undefined && unitOf(before) === unitOf(adaptive) &&
      canonical(before.adaptive.key ?? []) === canonical(adaptive.adaptive.key ?? [])
    ) return (alike[0]!.sampler as AdaptiveSampler.AdaptiveSamplerShape).state
  }
  return undefined
}

/** Makes a part, warm where something of its kind has learned what it would have to. */
const makePart = (
  config: SamplerConfig.SamplerConfig,
  make: Effect.Effect<SamplerShape, never, Scope.Scope>,
  earlier: Parts
): Effect.Effect<SamplerShape, never, Scope.Scope> => {
  const state = learned(config, earlier)
  return state === undefined
    ? make
    : Effect.flatMap(
      state,
      (state) => Effect.orDie(AdaptiveSampler.make({ ...(config as Adaptive).adaptive, state }))
    )
}

interface Built {
  readonly sampler: SamplerShape
  readonly parts: Parts
}

/** What a configuration does not say. */
export interface BuildOptions {
  /** The service that a Jaeger backend is asked about, where the configuration names none. */
  readonly serviceName?: string | undefined
}

/** Builds the head of a configuration from the parts of an earlier one, as far as they are configured alike. */
const build = (config: SamplingConfig, earlier: Parts, options: BuildOptions | undefined): Effect.Effect<Built> => {
  const parts: Parts = new Map()
  const fresh: Parts = new Map()
  const reuse: SamplerConfig.MakeOptions["reuse"] = (config, make) =>
    Effect.gen(function*() {
      const key = canonical(config)
      const known = takeFrom(earlier, key)
      if (known !== undefined) {
        addTo(parts, key, known)
        return known.sampler
      }
      const scope = yield* Scope.make()
      const part = { config, scope, sampler: yield* Scope.provide(makePart(config, make, earlier), scope) }
      addTo(parts, key, part)
      addTo(fresh, key, part)
      return part.sampler
    })
  return Effect.scoped(SamplerConfig.make(config.head, { reuse, serviceName: options?.serviceName })).pipe(
    Effect.map((sampler): Built => ({
      sampler: config.dryRun === true ? DryRun.sampler(sampler) : sampler,
      parts
    })),
    Effect.onError(() => closeAll(fresh))
  )
}

/**
 * The head of a first configuration, and how it follows another: parts that learn or ask others, and are configured as
 * before, go on as they are; an adaptive sampler with another goal begins with what one of the same keys has learned.
 */
export const make = Effect.fnUntraced(function*(config: SamplingConfig, options?: BuildOptions) {
  const first = yield* build(config, new Map(), options)
  const head = new ReloadableHead(first.sampler, versionOf(config))
  let { parts } = first
  yield* Effect.addFinalizer(() => closeAll(parts))
  const follow = (next: SamplingConfig): Effect.Effect<void> => {
    const left: Parts = new Map([...parts].map(([key, alike]) => [key, [...alike]]))
    return Effect.uninterruptible(Effect.flatMap(build(next, left, options), (built) => {
      head.swap(built.sampler, versionOf(next))
      parts = built.parts
      return closeAll(left)
    }))
  }
  return { head, follow }
})
