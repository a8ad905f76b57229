import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { fiveAttributes, operatorProbe } from "./operators.ts"

/** The attributes are made, as for the others, and used for nothing. */
export default operatorProbe(
  Layer.empty,
  (inner, i) => fiveAttributes(i)["user.id"] === "" ? Effect.succeed(0) : inner
)
