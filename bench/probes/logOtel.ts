/** `emit` of OpenTelemetry JS, with its batch processor, encoded. */
import { SeverityNumber } from "@opentelemetry/api-logs"
import { ProtobufLogsSerializer } from "@opentelemetry/otlp-transformer"
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from "@opentelemetry/sdk-logs"
import { logAttributes, logBody } from "./logAttributes.ts"
import { cpuNanos, type Probe, turn } from "./Probe.ts"

let exported = 0
const exporter: LogRecordExporter = {
  export(records, done) {
    exported += records.length
    done({ code: ProtobufLogsSerializer.serializeRequest(records) === undefined ? 1 : 0 })
  },
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve()
}
const provider = new LoggerProvider({
  processors: [new BatchLogRecordProcessor({ exporter, maxQueueSize: 5_000_000 })]
})
const logger = provider.getLogger("bench")

const probe: Probe = {
  sample: async (size) => {
    const time = await cpuNanos(size, async () => {
      for (let i = 0; i < size; i++) {
        logger.emit({
          body: logBody,
          severityNumber: SeverityNumber.INFO,
          severityText: "INFO",
          attributes: logAttributes(i)
        })
        if (i % 32 === 31) await turn()
      }
      await provider.forceFlush()
    })
    if (exported !== size) throw new Error(`${exported} of ${size} records arrived`)
    exported = 0
    return time
  }
}

export default probe
