/** The Effect program without any span: the floor under everything. */
import * as Layer from "effect/Layer"
import { effectContender, withoutSpan } from "../programs/effectProgram.ts"

export default effectContender({ span: withoutSpan, layer: () => Layer.empty })
