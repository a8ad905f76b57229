/** What a Jaeger sampling endpoint answers, and the samplers that it asks for. */
import * as Effect from "effect/Effect"
import * as RateLimitSampler from "./RateLimitSampler.ts"
import * as Sampler from "./Sampler.ts"

/** How the traces of one operation, or of a service, are chosen. */
export type Strategy =
  | { readonly probability: number }
  | { readonly tracesPerSecond: number }

/** The strategies of a service. */
export interface Strategies {
  /** Decides operations that are not named. */
  readonly otherwise: Strategy
  /** How many traces of each operation are kept per second at least, where strategies are by operation. */
  readonly lowerBound: number
  readonly operations: ReadonlyMap<string, number>
}

/** Most operations with a strategy of their own; further ones are decided like those that are not named. */
export const maxOperations = 2_000

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

// Marks a part that is not there, or not as it should be; the text says which.
class Unusable {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

const numberAt = (from: Json, key: string, most: number, path: string): number | Unusable => {
  const value = from[key]
  return typeof value === "number" && value >= 0 && value <= most
    ? value
    : new Unusable(`${path}.${key} is no number from 0 to ${most === Infinity ? "infinity" : most}`)
}

const objectAt = (from: Json, key: string, path: string): Json | Unusable => {
  const value = from[key]
  return isObject(value) ? value : new Unusable(`${path}.${key} is no object`)
}

const probabilityAt = (from: Json, path: string): number | Unusable => {
  const inner = objectAt(from, "probabilisticSampling", path)
  return inner instanceof Unusable ? inner : numberAt(inner, "samplingRate", 1, `${path}.probabilisticSampling`)
}

const operationsOf = (operationSampling: Json): Strategies | Unusable => {
  const path = "operationSampling"
  const probability = numberAt(operationSampling, "defaultSamplingProbability", 1, path)
  if (probability instanceof Unusable) return probability
  const lowerBound = operationSampling["defaultLowerBoundTracesPerSecond"] === undefined
    ? 0
    : numberAt(operationSampling, "defaultLowerBoundTracesPerSecond", Number.MAX_VALUE, path)
  if (lowerBound instanceof Unusable) return lowerBound
  const list = operationSampling["perOperationStrategies"] ?? []
  if (!Array.isArray(list)) return new Unusable(`${path}.perOperationStrategies is no list`)
  const operations = new Map<string, number>()
  for (const [index, entry] of list.slice(0, maxOperations).entries()) {
    const place = `${path}.perOperationStrategies.${index}`
    if (!isObject(entry) || typeof entry["operation"] !== "string") return new Unusable(`${place} names no operation`)
    const rate = probabilityAt(entry, place)
    if (rate instanceof Unusable) return rate
    operations.set(entry["operation"], rate)
  }
  return { otherwise: { probability }, lowerBound, operations }
}

const strategiesOf = (answer: unknown): Strategies | Unusable => {
  if (!isObject(answer)) return new Unusable("it is no object")
  // As Jaeger's own clients do: strategies by operation before the one of the service, whatever its type says.
  if (isObject(answer["operationSampling"])) return operationsOf(answer["operationSampling"])
  const type = answer["strategyType"] ?? "PROBABILISTIC"
  const operations = new Map<string, number>()
  if (type === "PROBABILISTIC" || type === 0) {
    const probability = probabilityAt(answer, "it")
    return probability instanceof Unusable ? probability : { otherwise: { probability }, lowerBound: 0, operations }
  }
  if (type !== "RATE_LIMITING" && type !== 1) return new Unusable("its strategyType is not known")
  const inner = objectAt(answer, "rateLimitingSampling", "it")
  if (inner instanceof Unusable) return inner
  const tracesPerSecond = numberAt(inner, "maxTracesPerSecond", Number.MAX_VALUE, "rateLimitingSampling")
  return tracesPerSecond instanceof Unusable
    ? tracesPerSecond
    : { otherwise: { tracesPerSecond }, lowerBound: 0, operations }
}

/** Reads an answer. A text says why it cannot be used. */
export const read = (answer: unknown): Strategies | string => {
  const strategies = strategiesOf(answer)
  return strategies instanceof Unusable ? strategies.text : strategies
}

const limit = (tracesPerSecond: number): Effect.Effect<Sampler.SamplerShape> =>
  tracesPerSecond === 0
    ? Effect.succeed(Sampler.alwaysOff)
    : Effect.orDie(RateLimitSampler.make({ tracesPerSecond }))

const samplerOf = (strategy: Strategy, lowerBound: number): Effect.Effect<Sampler.SamplerShape> => {
  if ("tracesPerSecond" in strategy) return limit(strategy.tracesPerSecond)
  const sampler = Sampler.probability(strategy.probability)
  return lowerBound === 0 || strategy.probability === 1
    ? Effect.succeed(sampler)
    : Effect.map(limit(lowerBound), (least) => Sampler.anyOf(sampler, least))
}

/**
 * The sampler that strategies ask for. With strategies by operation, an operation is the name of a span.
 *
 * **Details**
 *
 * Each named operation has a lower bound of its own; those that are not named share one, since their number is not known.
 */
export const toSampler = Effect.fnUntraced(function*(
  { lowerBound, operations, otherwise }: Strategies
): Effect.fn.Return<Sampler.SamplerShape> {
  const rest = yield* samplerOf(otherwise, lowerBound)
  if (operations.size === 0) return rest
  const samplers = new Map<string, Sampler.SamplerShape>()
  for (const [operation, probability] of operations) {
    samplers.set(operation, yield* samplerOf({ probability }, lowerBound))
  }
  return {
    description: `PerOperation{${operations.size},otherwise:${rest.description}}`,
    decide: (input) => (samplers.get(input.name) ?? rest).decide(input)
  }
})
