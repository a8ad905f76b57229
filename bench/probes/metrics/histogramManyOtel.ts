import { many } from "./cases.ts"
import { histogram } from "./otel.ts"

export default many((value, attributes) => histogram.record(value, attributes))
