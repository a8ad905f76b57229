import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { fiveAttributes, operatorProbe } from "./operators.ts"

export default operatorProbe(
  Layer.empty,
  (inner, i) => Effect.withSpan(inner, "GET /orders/:id", { attributes: fiveAttributes(i), captureStackTrace: false })
)
