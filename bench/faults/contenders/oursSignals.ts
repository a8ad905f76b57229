/** Ours with the signals it is to end by. */
import { oursOptions } from "./oursOptions.ts"
import { oursWith } from "./oursWith.ts"

export default oursWith((setup) => ({ ...oursOptions(setup), shutdownOn: ["SIGTERM", "SIGINT"] }))
