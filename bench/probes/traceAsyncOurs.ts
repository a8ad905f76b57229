/** `trace` of the Promise facade around an asynchronous function. */
import { trace } from "effect-telemetry/promise"
import { asyncWork } from "./calls.ts"
import { oursCalls } from "./callsOurs.ts"
import { fiveAttributes } from "./operators.ts"

export default oursCalls((i) => trace("GET /orders/:id", { attributes: fiveAttributes(i) }, () => asyncWork(i)))
