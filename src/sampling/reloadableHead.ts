/** A head sampler whose configuration changes while it runs. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
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

type Built = Effect.Effect<SamplerShape, never, Scope.Scope>

/** Builds the head of a configuration. */
export const build = (
  config: SamplingConfig,
  reuse?: (config: SamplerConfig.SamplerConfig, make: Built) => Built
): Built =>
  Effect.map(
    SamplerConfig.make(config.head, { reuse }),
    (sampler) => config.dryRun === true ? DryRun.sampler(sampler) : sampler
  )

interface Part {
  readonly sampler: SamplerShape
  readonly scope: Scope.Closeable
}

/**
 * The head of a first configuration, and how it follows another. Parts that learn, or ask a server, go on where the next
 * configuration says the same of them, and are closed where it does not.
 */
export const make = Effect.fnUntraced(function*(config: SamplingConfig) {
  const parent = yield* Effect.scope
  let parts = new Map<string, Part>()
  const generation = Effect.fnUntraced(function*(config: SamplingConfig) {
    const next = new Map<string, Part>()
    const sampler = yield* build(config, (part, make) =>
      Effect.gen(function*() {
        const text = canonical(part)
        // Equal parts of one configuration learn apart.
        let count = 0
        while (next.has(`${text} ${count}`)) count++
        const key = `${text} ${count}`
        const known = parts.get(key)
        if (known !== undefined) {
          next.set(key, known)
          return known.sampler
        }
        const scope = yield* Scope.fork(parent)
        const sampler = yield* Scope.provide(make, scope)
        next.set(key, { sampler, scope })
        return sampler
      })).pipe(Scope.provide(parent))
    const gone = [...parts].filter(([key]) => !next.has(key))
    parts = next
    return { sampler, close: Effect.forEach(gone, ([, { scope }]) => Scope.close(scope, Exit.void), { discard: true }) }
  })
  const first = yield* generation(config)
  const head = new ReloadableHead(first.sampler, versionOf(config))
  return {
    head,
    follow: (next: SamplingConfig) =>
      Effect.flatMap(generation(next), ({ close, sampler }) => {
        head.swap(sampler, versionOf(next))
        return close
      })
  }
})
