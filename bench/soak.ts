/**
 * `npm run soak`: what only shows after minutes. Prints figures; nothing is asserted.
 *
 * - `npm run soak -- hang --minutes 5`: 5,000 spans a second while the destination never answers: memory against its bound.
 * - `npm run soak -- outage --minutes 10`: 1,000 spans a second, a destination that is gone for as long, and a spool: what
 *   arrives, in which order, and whether spans that are made afterwards wait for the backlog. With `--always` everything
 *   goes by way of the disk.
 */
import { fork } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import * as OtlpDecoder from "../src/otlp/OtlpDecoder.ts"
import type { SoakMessage, SoakTask } from "./soakProgram.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: "string" }, always: { type: "boolean", default: false } }
})

const program = (task: SoakTask) => {
  const child = fork(new URL("soakProgram.ts", import.meta.url), [JSON.stringify(task)], {
    execArgv: ["--import", "tsx", "--conditions=effect-telemetry-source", "--expose-gc"]
  })
  const messages: Array<SoakMessage> = []
  child.on("message", (message) => messages.push(message as SoakMessage))
  return { child, messages, ended: new Promise((resolve) => child.on("close", resolve)) }
}

const listen = (server: Server, port = 0): Promise<number> =>
  new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)))

const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

const hang = async (minutes: number): Promise<void> => {
  const server = createServer((request) => request.resume())
  const port = await listen(server)
  const maxQueueBytes = 32 * 1024 * 1024
  const { ended, messages } = program({ port, perSecond: 5_000, minutes, maxQueueBytes })
  await ended
  server.closeAllConnections()
  server.close()
  const [first, ...later] = messages
  const used = later.map(({ memory }) => memory - first!.memory)
  const settled = used.slice(Math.min(used.length - 1, 12))
  console.log(`hang: ${minutes} minutes, 5,000 spans/s, nobody answers, bound of the queue ${mebibytes(maxQueueBytes)}`)
  console.log(
    `memory above an idle program (heap and buffers, after a collection): ${mebibytes(Math.min(...settled))} to ${
      mebibytes(Math.max(...settled))
    } once the queue was full (after a minute)`
  )
  console.log(`that is ${((Math.max(...settled) / maxQueueBytes) * 100).toFixed(1)} % of the bound at the most`)
  console.log(`ledger: ${JSON.stringify(messages.at(-1)!.ledger)}`)
}

interface Arrival {
  readonly index: number
  readonly made: number
  readonly at: number
}

const outage = async (minutes: number): Promise<void> => {
  const arrivals: Array<Arrival> = []
  const receiver = () =>
    createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const at = Date.now()
        response.writeHead(200).end()
        const body = Buffer.concat(chunks)
        for (
          const span of Effect.runSync(Effect.fromResult(OtlpDecoder.decode(request.headers["content-type"]!, body)))
        ) {
          arrivals.push({ index: Number(span.name), made: Number(span.endTimeUnixNano / 1_000_000n), at })
        }
      })
    })
  const mode = values.always ? "always" : "overflow"
  const directory = mkdtempSync(join(tmpdir(), "effect-telemetry-soak-"))
  let server = receiver()
  const port = await listen(server)
  const around = 0.5
  const { ended, messages } = program({ port, perSecond: 1_000, minutes: minutes + 2 * around, directory, mode })
  await sleep(around * 60_000)
  server.closeAllConnections()
  server.close()
  const gone = Date.now()
  await sleep(minutes * 60_000)
  server = receiver()
  await listen(server, port)
  const back = Date.now()
  await ended
  server.closeAllConnections()
  server.close()
  rmSync(directory, { recursive: true, force: true })

  const { created } = messages.at(-1)!.ledger
  const distinct = new Set(arrivals.map(({ index }) => index)).size
  const backlog = arrivals.filter(({ made }) => made > gone && made < back - 5_000)
  const outOfOrder = backlog.filter(({ index }, i) => i > 0 && index < backlog[i - 1]!.index).length
  const firstAfter = arrivals.find(({ at }) => at >= back)?.at ?? NaN
  const backlogDone = backlog.at(-1)?.at ?? NaN
  // Made once the destination was known to answer again, and before the program ended.
  const live = arrivals.filter(({ made }) => made > firstAfter)
  console.log(`outage: ${minutes} minutes, 1,000 spans/s, with a spool, mode ${mode}`)
  console.log(`created ${created}, arrived ${distinct}, twice ${arrivals.length - distinct}`)
  console.log(
    `found to answer again after ${((firstAfter - back) / 1000).toFixed(1)} s; the backlog of ${backlog.length} ` +
      `spans took ${((backlogDone - firstAfter) / 1000).toFixed(1)} s, ${outOfOrder} spans out of order`
  )
  console.log(
    `spans made meanwhile and afterwards: ${live.length}, the slowest took ${
      (live.reduce((slowest, { at, made }) => Math.max(slowest, at - made), 0) / 1000).toFixed(1)
    } s (a batch waits up to 5 s)`
  )
  console.log(`ledger: ${JSON.stringify(messages.at(-1)!.ledger)}`)
}

const minutes = (fallback: number): number => Number(values.minutes ?? fallback)

if (positionals[0] === "hang") await hang(minutes(5))
else if (positionals[0] === "outage") await outage(minutes(10))
else {
  console.error("usage: npm run soak -- hang|outage [--minutes N] [--always]")
  process.exitCode = 1
}
