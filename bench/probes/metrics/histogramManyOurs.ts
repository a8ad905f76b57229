import { many } from "./cases.ts"
import { histogram } from "./ours.ts"

export default many((value, attributes) => histogram.record(value, attributes))
