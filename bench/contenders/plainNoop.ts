/** The plain program under the OpenTelemetry API without an SDK: its spans hold nothing and no context is carried. */
import { trace } from "@opentelemetry/api"
import { plainContender } from "../programs/plainProgram.ts"
import { otelSpan } from "./otelSpan.ts"

export default plainContender(async () => ({ span: otelSpan(trace.getTracer("shop")), close: async () => {} }))
