import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { effectLogs } from "./effectLogs.ts"

export default effectLogs(Layer.empty, Effect.void, () => {})
