import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer"
import { sdkSpans } from "./encodedSpans.ts"
import { encodeTime } from "./encodeTime.ts"

export default encodeTime(sdkSpans, (spans) => ProtobufTraceSerializer.serializeRequest(spans))
