/** A function that `traced` has wrapped. */
import { traced } from "effect-telemetry/promise"
import { work } from "./calls.ts"
import { oursCalls } from "./callsOurs.ts"
import { fiveAttributes } from "./operators.ts"

export default oursCalls(traced("GET /orders/:id", { attributes: fiveAttributes }, work))
