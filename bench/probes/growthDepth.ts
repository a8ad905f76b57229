import * as Effect from "effect/Effect"
import { growthProbe } from "./growth.ts"

export default growthProbe(
  (size, span) =>
    Effect.suspend(() => {
      let nested: Effect.Effect<number> = Effect.succeed(1)
      for (let depth = 0; depth < size; depth++) nested = span(nested, "nested", { depth })
      return Effect.andThen(nested, Effect.yieldNow)
    }),
  (size) => size
)
