import { ours, traceSpan } from "./ours.ts"

export default ours(traceSpan, "http/protobuf")
