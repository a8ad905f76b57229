import * as Effect from "effect/Effect"
import { growthProbe } from "./growth.ts"

export default growthProbe(
  (size, span) =>
    Effect.forEach(
      Array.from({ length: size }, (_, i) => i),
      (i) => span(Effect.as(Effect.yieldNow, i), "fiber", { i }),
      { concurrency: "unbounded", discard: true }
    ),
  (size) => size
)
