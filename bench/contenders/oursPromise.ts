/** The Promise facade, with the options of `ours.ts`. */
import { trace, TraceContext } from "effect-telemetry/promise"
import { plainContender } from "../programs/plainProgram.ts"
import { oursOptions } from "./ours.ts"

export default plainContender(async (setup) => {
  await TraceContext.initialize(oursOptions(setup, "http/protobuf"))
  return {
    span: {
      runAsync: (name, attributes, fn) => trace(name, { attributes }, fn),
      runSync: (name, attributes, fn) => trace(name, { attributes }, fn)
    },
    close: async () => void await TraceContext.shutdown()
  }
})
