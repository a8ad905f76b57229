/** What remains of a traced asynchronous call without its span. */
import { asyncWork, callProbe } from "./calls.ts"
import { fiveAttributes } from "./operators.ts"

export default callProbe((i) => asyncWork(i + fiveAttributes(i)["url.path"].length), () => Promise.resolve())
