import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import { effectOtlp } from "./effectOtlp.ts"

export default effectOtlp(OtlpSerialization.layerProtobuf)
