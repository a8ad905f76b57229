import { many } from "./cases.ts"
import { counter } from "./otel.ts"

export default many((value, attributes) => counter.add(value, attributes))
