/** A head sampler whose configuration changes while it runs. */
import * as Effect from "effect/Effect"
import * as DryRun from "./DryRun.ts"
import type { SamplerShape } from "./Sampler.ts"
import { fromConfig } from "./SamplerConfig.ts"
import { type SamplingConfig, versionOf } from "./SamplingConfig.ts"

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

/** Builds the head of a configuration. */
export const build = (config: SamplingConfig): Effect.Effect<SamplerShape> =>
  Effect.sync(() => {
    const sampler = fromConfig(config.head)
    return config.dryRun === true ? DryRun.sampler(sampler) : sampler
  })

/** The head of a first configuration, and how it follows another. */
export const make = Effect.fnUntraced(function*(config: SamplingConfig) {
  const head = new ReloadableHead(yield* build(config), versionOf(config))
  return {
    head,
    follow: (next: SamplingConfig) => Effect.map(build(next), (sampler) => head.swap(sampler, versionOf(next)))
  }
})
