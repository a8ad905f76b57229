/** The rows of the fault matrix: what happens, to whom, and what is asked of effect-telemetry. */
import { connectionRows } from "./rows/connection.ts"
import { answerRows } from "./rows/answers.ts"
import { hostRows } from "./rows/host.ts"
import { leavingRows } from "./rows/leaving.ts"
import type { Row } from "./rows/Row.ts"

export const rows: ReadonlyArray<Row> = [...connectionRows, ...answerRows, ...hostRows, ...leavingRows]
