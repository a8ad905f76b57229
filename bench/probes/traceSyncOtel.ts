/** `startActiveSpan` of OpenTelemetry JS around a function; it has no `traced`, so this is written by hand there. */
import { work } from "./calls.ts"
import { otelCalls, runSync } from "./callsOtel.ts"
import { fiveAttributes } from "./operators.ts"

export default otelCalls((i) => runSync("GET /orders/:id", fiveAttributes(i), () => work(i)))
