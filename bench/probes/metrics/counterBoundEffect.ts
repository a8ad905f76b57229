import { bound } from "./cases.ts"
import { add } from "./effect.ts"

export default bound(add)
