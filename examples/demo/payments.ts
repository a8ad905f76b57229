/** The payments service: plain TypeScript on `node:http`, no Effect in sight. Sends OTLP as protobuf. */
import { extract, inject, trace, TraceContext, traced } from "effect-telemetry/promise"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { announce, otlpEndpoint, signOff, untilStopped } from "./channel.ts"
import { type Card, workload } from "./shop.ts"

interface Charge {
  readonly order: string
  readonly amount: number
  readonly card: Card
}

class Declined extends Error {
  override readonly name = "Declined"
}

class BankTimeout extends Error {
  override readonly name = "BankTimeout"
}

const attempts = new Map<string, number>()

const assessRisk = traced(
  "risk.assess",
  { attributes: ({ amount, card }: Charge) => ({ "card.token": `tok_${card}_4242`, "payment.amount": amount }) },
  async ({ amount, card, order }: Charge) => {
    await sleep(workload(order))
    // A foreign card needs a long look.
    if (card === "amex") await trace("risk.review", { attributes: { reviewer: "rules-v2", amount } }, () => sleep(280))
  }
)

/** Asks the orders service whether the goods are still held; the call carries the trace on. */
const confirmHold = traced("hold.confirm", async (ordersUrl: string, order: string) => {
  const response = await trace(
    "GET",
    { kind: "client", attributes: { "http.request.method": "GET" } },
    async (span) => {
      const response = await fetch(`${ordersUrl}/holds/${order}`, { headers: inject() })
      span.setAttribute("http.response.status_code", response.status)
      return response
    }
  )
  await response.arrayBuffer()
  if (!response.ok) throw new Error(`the goods of ${order} are not held`)
})

const authorize = traced(
  "bank.authorize",
  {
    kind: "client",
    attributes: ({ card }: Charge) => ({ "payment.card": card }),
    // A declined card is business as usual, not a failure of this service.
    outcome: {
      failure: (error) =>
        error instanceof Declined
          ? { status: "UNSET", record: false, attributes: { "payment.declined": true } }
          : undefined
    }
  },
  async ({ card, order }: Charge) => {
    const attempt = (attempts.get(order) ?? 0) + 1
    attempts.set(order, attempt)
    await sleep(workload(order + attempt))
    if (card === "expired") throw new Declined("the card has expired")
    if (card === "bank-is-down" || (card === "flaky-bank" && attempt === 1)) {
      await sleep(45)
      throw new BankTimeout(`the bank did not answer within 45 ms`)
    }
  }
)

const charge = async (ordersUrl: string, input: Charge): Promise<number> => {
  try {
    await Promise.all([assessRisk(input), confirmHold(ordersUrl, input.order)])
    await authorize(input)
    return 201
  } catch (error) {
    if (error instanceof Declined) return 402
    if (error instanceof BankTimeout) return 503
    throw error
  }
}

const read = async (request: IncomingMessage): Promise<unknown> => {
  let text = ""
  for await (const chunk of request.setEncoding("utf8")) text += chunk as string
  return JSON.parse(text)
}

let ordersUrl = ""

const handle = (request: IncomingMessage): Promise<number> =>
  trace("POST /charges", {
    kind: "server",
    parent: extract(request.headers),
    attributes: { "http.request.method": request.method, "http.route": "/charges" }
  }, async (span) => {
    const status = await charge(ordersUrl, await read(request) as Charge)
    span.setAttribute("http.response.status_code", status)
    if (status >= 500) span.setStatus("ERROR", "the bank did not answer")
    return status
  })

await TraceContext.initialize({
  serviceName: "payments",
  serviceVersion: "0.9.4",
  otlp: { endpoint: otlpEndpoint },
  batch: { scheduleDelay: "500 millis" }
})

const server = createServer((request, response) => {
  handle(request)
    .catch(() => 500)
    .then((status) => response.writeHead(status, { "content-type": "application/json" }).end(`{"status":${status}}`))
})
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
ordersUrl = (await announce(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)).orders

await untilStopped()
await new Promise((resolve) => {
  server.close(resolve)
  server.closeIdleConnections()
})
await TraceContext.flush({ within: "3 seconds" })
const books = await TraceContext.ledger()
await TraceContext.shutdown()
await signOff(books!)
