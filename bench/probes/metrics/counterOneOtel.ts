import { one } from "./cases.ts"
import { counter } from "./otel.ts"

export default one((value, attributes) => counter.add(value, attributes))
