/** {@link otel} with the hook that the documentation of OpenTelemetry JS gives for SIGTERM. */
import type { Contender, Running } from "./Contender.ts"
import { start } from "./otel.ts"
import { plainMain } from "./plain.ts"

let running: Running | undefined

const started: Contender["start"] = async (setup) => running = await start(setup)

export default {
  start: started,
  main: plainMain(started, () => {
    process.on("SIGTERM", () => {
      void running!.close().catch(() => {}).finally(() => process.exit(0))
    })
  })
} satisfies Contender
