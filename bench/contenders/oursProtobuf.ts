import { withSpan } from "../programs/effectProgram.ts"
import { ours } from "./ours.ts"

export default ours(withSpan, "http/protobuf")
