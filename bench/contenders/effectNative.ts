/** `Effect.withSpan` under Effect's own tracer, which records and exports nothing. */
import * as Layer from "effect/Layer"
import { effectContender, withSpan } from "../programs/effectProgram.ts"

export default effectContender({ span: withSpan, layer: () => Layer.empty })
