import { report } from "./cases.ts"
import { collect, counter } from "./otel.ts"

export default report((value, attributes) => counter.add(value, attributes), collect)
