/** The Promise facade, with the options of `ours.ts`. */
import { trace, TraceContext } from "effect-telemetry/promise"
import { plainContender } from "../programs/plainProgram.ts"
import { lostIn, oursOptions } from "./ours.ts"

export default plainContender(async (setup) => {
  await TraceContext.initialize(oursOptions(setup, "http/protobuf"))
  let counted = 0
  return {
    span: {
      runAsync: (name, attributes, fn) => trace(name, { attributes }, fn),
      runSync: (name, attributes, fn) => trace(name, { attributes }, fn)
    },
    close: async () => {
      const ledger = await TraceContext.shutdown()
      counted = ledger === undefined ? 0 : lostIn(ledger)
    },
    countedLost: () => counted
  }
})
