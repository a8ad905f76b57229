/** `startActiveSpan` of OpenTelemetry JS around an asynchronous function. */
import { asyncWork } from "./calls.ts"
import { otelCalls, runAsync } from "./callsOtel.ts"
import { fiveAttributes } from "./operators.ts"

export default otelCalls((i) => runAsync("GET /orders/:id", fiveAttributes(i), () => asyncWork(i)))
