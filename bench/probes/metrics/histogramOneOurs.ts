import { one } from "./cases.ts"
import { histogram } from "./ours.ts"

export default one((value, attributes) => histogram.record(value, attributes))
