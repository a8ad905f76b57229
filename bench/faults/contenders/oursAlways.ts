/** Ours with every span on disk before it is sent. */
import { oursOptions } from "./oursOptions.ts"
import { oursWith } from "./oursWith.ts"

export default oursWith((setup) => oursOptions(setup, { mode: "always" }))
