import { primitivesProbe } from "./primitives.ts"

export default primitivesProbe(false)
