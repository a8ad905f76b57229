/** A worker thread that makes 100 spans and leaves as it is told. */
import { workerData } from "node:worker_threads"
import { trace, TraceContext } from "effect-telemetry/promise"

const { exit, options } = workerData as {
  readonly exit: boolean
  readonly options: Parameters<typeof TraceContext.initialize>[0]
}

await TraceContext.initialize(options)
for (let i = 0; i < 100; i++) trace(`span ${i}`, () => {})
if (exit) process.exit(0)
