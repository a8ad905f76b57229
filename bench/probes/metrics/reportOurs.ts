import { report } from "./cases.ts"
import { collect, counter } from "./ours.ts"

export default report((value, attributes) => counter.add(value, attributes), collect)
