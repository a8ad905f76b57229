import { bound } from "./cases.ts"
import { record } from "./effect.ts"

export default bound(record)
