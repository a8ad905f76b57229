import { one } from "./cases.ts"
import { counter } from "./ours.ts"

export default one((value, attributes) => counter.add(value, attributes))
