/** `info` of pino, buffered, to a file that keeps nothing. */
import { pino } from "pino"
import { logAttributes, logBody } from "./logAttributes.ts"
import { cpuNanos, type Probe, turn } from "./Probe.ts"

const destination = pino.destination({ dest: "/dev/null", sync: false, minLength: 4096 })
const logger = pino(destination)

const probe: Probe = {
  sample: (size) =>
    cpuNanos(size, async () => {
      for (let i = 0; i < size; i++) {
        logger.info(logAttributes(i), logBody)
        if (i % 32 === 31) await turn()
      }
      await new Promise((resolve) => logger.flush(resolve))
    })
}

export default probe
