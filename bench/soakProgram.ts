/** The program that `soak.ts` watches: it makes spans at a steady rate and tells what they cost. */
import { trace, TraceContext } from "effect-telemetry/promise"

export interface SoakTask {
  readonly port: number
  readonly perSecond: number
  readonly minutes: number
  readonly maxQueueBytes?: number
  readonly directory?: string
  readonly mode?: "overflow" | "always"
}

export interface SoakMessage {
  /** Bytes of heap and buffers after a collection. */
  readonly memory: number
  readonly ledger: { readonly created: number }
}

const task = JSON.parse(process.argv[2]!) as SoakTask
const tell = async (): Promise<void> => {
  // Twice, with a turn between: buffers of closed sockets are given back by callbacks of the first.
  for (let i = 0; i < 2; i++) {
    ;(globalThis as { gc?: () => void }).gc!()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  const ledger = await TraceContext.ledger()
  await new Promise((done) => process.send!({ memory: heapUsed + arrayBuffers, ledger }, done))
}

await TraceContext.initialize({
  serviceName: "soak",
  otlp: { endpoint: `http://127.0.0.1:${task.port}` },
  ...task.maxQueueBytes === undefined
    ? {}
    : { batch: { maxQueueSize: 100_000_000, maxQueueBytes: task.maxQueueBytes } },
  ...task.directory === undefined
    ? {}
    : { spool: { directory: task.directory, mode: task.mode, maxBytes: 512 * 1024 * 1024, minFreeBytes: 0 } }
})

let made = 0
const make = (count: number): void => {
  for (let i = 0; i < count; i++) {
    trace(String(made++), (span) => span.setAttributes({ "http.request.method": "GET", "http.route": "/orders/{id}" }))
  }
}

// What the program itself weighs, compiled and warm.
make(2_000)
await tell()
const start = performance.now()
let told = start
while (performance.now() - start < task.minutes * 60_000) {
  make(Math.floor(((performance.now() - start) / 1000) * task.perSecond) - made + 2_000)
  if (performance.now() - told > 5_000) {
    told = performance.now()
    await tell()
  }
  await new Promise((resolve) => setTimeout(resolve, 10))
}
if (task.directory !== undefined) await TraceContext.flush({ within: "1 minute" })
await tell()
await TraceContext.shutdown()
process.disconnect()
