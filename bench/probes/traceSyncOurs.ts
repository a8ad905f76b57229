/** `trace` of the Promise facade around a function. */
import { trace } from "effect-telemetry/promise"
import { work } from "./calls.ts"
import { oursCalls } from "./callsOurs.ts"
import { fiveAttributes } from "./operators.ts"

export default oursCalls((i) => trace("GET /orders/:id", { attributes: fiveAttributes(i) }, () => work(i)))
