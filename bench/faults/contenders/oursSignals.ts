/** Ours with the signals it is to end by, where this version has the option. */
import { oursOptions } from "./oursOptions.ts"
import { oursWith } from "./oursWith.ts"

const signals = { shutdownOn: ["SIGTERM", "SIGINT"] }

export default oursWith((setup) => ({ ...oursOptions(setup), ...signals }), (setup) => oursOptions(setup))
