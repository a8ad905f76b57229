/**
 * `npm run demo`: a small shop in three processes, what its telemetry shows, and whether the books balance.
 *
 * Ends by itself. Exit 0 when every span is accounted for, 1 when not, 130 on an interrupt.
 */
import { serviceOf } from "effect-telemetry/exporters/TraceTree"
import { startFleet } from "./fleet.ts"
import { startReceiver } from "./receiver.ts"
import {
  accountOf,
  type Books,
  booksText,
  chooseTrace,
  customerRequests,
  eventsText,
  flawOf,
  routesText,
  traceText
} from "./report.ts"
import { services } from "./shop.ts"
import { paint, unicode } from "./terminal.ts"
import { drive } from "./traffic.ts"

const limitSeconds = 27
const started = performance.now()
const say = (text = ""): void => console.log(text)
const heading = (text: string): void => say(`\n${paint("bold", text)}\n`)

// A reader that went away (`| head`) ends the demo, and its services with it.
process.stdout.on("error", () => process.exit(1))

let kill = (): void => {}
// Whatever ends this process, it takes its services along.
process.on("exit", () => kill())
for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  process.on(signal, () => process.exit(code))
}
const fail = (reason: string): never => {
  console.error(
    `\n${paint("red", `${unicode ? "✗" : "x"} the demo failed:${reason.startsWith("\n") ? "" : " "}${reason}`)}`
  )
  process.exit(1)
}
setTimeout(() => fail(`not done after ${limitSeconds} seconds`), limitSeconds * 1000).unref()

const demo = async (): Promise<void> => {
  const receiver = await startReceiver()
  say(`${paint("bold", "effect-telemetry")} demo: a small shop in three processes`)
  say()
  const fleet = await startFleet(receiver.endpoint, (end) => kill = end)
  const about = {
    web: ["Effect HTTP server", "protobuf"],
    orders: ["Effect HTTP server", "JSON, gzip; 1 in 10 traces of its job"],
    payments: ["plain TypeScript", "protobuf"]
  }
  for (const service of services) {
    const [what, how] = about[service]
    say(`  ${paint("cyan", service.padEnd(9))} ${what!.padEnd(20)} OTLP ${how}`)
  }

  const traffic = await drive(fleet.peers.web, 64, 6)
  const books = {} as Record<keyof Books, Books[keyof Books]>
  for (const service of services) books[service] = await fleet.stop(service)
  receiver.close()

  const trace = chooseTrace(receiver.spans)
  heading("One failed checkout, across the three processes")
  say(traceText(trace).trimEnd())

  heading(`${traffic.requests} requests in ${(traffic.milliseconds / 1000).toFixed(1)} s, as their spans tell`)
  say(routesText(receiver.spans))
  say(paint("dim", "  refused: answered 4xx (not found, sold out, declined), no error of the shop"))

  const received = (service: string) => receiver.spans.filter((span) => serviceOf(span) === service).length
  heading("What became of every span")
  say(booksText(books, receiver.requests, received))
  say(paint("dim", `  ${eventsText(receiver.spans)}`))

  const problems = [
    ...traffic.surprises,
    ...receiver.problems.map((problem) => `the receiver could not read ${problem}`)
  ]
  const totals = { created: 0, sampledOut: 0, exported: 0, lost: 0 }
  for (const service of services) {
    const account = accountOf(books[service])
    totals.created += account.created
    totals.sampledOut += account.sampledOut
    totals.exported += account.exported
    totals.lost += account.rejected + account.dropped
    if (account.unaccounted !== 0) problems.push(`${service} cannot account for ${account.unaccounted} spans`)
    if (account.left !== 0) problems.push(`${service} stopped with ${account.left} spans in hand`)
    if (received(service) !== account.exported) {
      problems.push(`${service} exported ${account.exported} spans, and ${received(service)} arrived`)
    }
  }
  const seen = customerRequests(receiver.spans).length
  if (seen !== traffic.requests) {
    problems.push(`${traffic.requests} requests were made, and ${seen} traces tell of them`)
  }
  const flaw = flawOf(trace)
  if (flaw !== undefined) problems.push(`the trace is not one tree: ${flaw}`)
  if (problems.length > 0) return fail(["", ...problems].join("\n  "))

  const { created, exported, lost, sampledOut } = totals
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  say(
    `\n${paint("green", unicode ? "✓" : "ok")} The books balance: ${created} spans made = ${exported} arrived + ` +
      `${sampledOut} sampled out + ${lost} lost.`
  )
  say(`  ${seconds} s, and nothing is left running.`)
}

await demo().catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)))
