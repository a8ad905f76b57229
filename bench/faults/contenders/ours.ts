import { oursOptions } from "./oursOptions.ts"
import { oursWith } from "./oursWith.ts"

export default oursWith((setup) => oursOptions(setup))
