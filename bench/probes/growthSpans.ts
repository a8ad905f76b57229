import * as Effect from "effect/Effect"
import { growthProbe, inTurn } from "./growth.ts"
import { fiveAttributes } from "./operators.ts"

export default growthProbe(
  (size, span) => inTurn(size, (i) => span(Effect.succeed(i & 7), "span", fiveAttributes(i))),
  (size) => size
)
