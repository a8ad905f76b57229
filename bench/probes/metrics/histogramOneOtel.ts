import { one } from "./cases.ts"
import { histogram } from "./otel.ts"

export default one((value, attributes) => histogram.record(value, attributes))
