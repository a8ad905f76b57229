import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * The service of `key`, or `undefined` where none was provided.
 *
 * **Details**
 *
 * Not `Effect.serviceOption`: a miss there goes through the lookup of defaults that each span passes some thirty times,
 * and every class of a service is another shape to it. After four the engine gives up on specialising it, for every
 * span of the program.
 */
export const optionalService = <I, S>(key: Context.Key<I, S>): Effect.Effect<S | undefined> =>
  Effect.withFiber((fiber) => Effect.succeed(fiber.context.mapUnsafe.get(key.key) as S | undefined))
