import { many } from "./cases.ts"
import { counter } from "./ours.ts"

export default many((value, attributes) => counter.add(value, attributes))
