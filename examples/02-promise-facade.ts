/** The same telemetry for plain TypeScript: no Effect in your code, and the context follows every `await`. */
import { ConsoleExporter, getCurrentSpan, startSpan, trace, TraceContext, traced } from "effect-telemetry/promise"
import { setTimeout as sleep } from "node:timers/promises"

class CardDeclined extends Error {
  override readonly name = "CardDeclined"
}

// A function that is always traced: its arguments and its result stay what they were.
const pay = traced(
  "pay",
  { kind: "client", attributes: (amount: number) => ({ "payment.amount": amount }) },
  async (amount: number) => {
    await sleep(15)
    if (amount > 100) throw new CardDeclined(`${amount} is over the limit`)
    // Code deep below finds the span it runs in.
    getCurrentSpan()?.addEvent("authorized", { "payment.provider": "acme" })
  }
)

const checkout = (order: string, amount: number): Promise<string> =>
  trace("checkout", { attributes: { "order.id": order } }, async (span) => {
    // Several at once, and each span still has the right parent.
    await Promise.all([
      trace("stock.reserve", () => sleep(10)),
      trace("customer.load", () => sleep(5))
    ])
    await pay(amount)
    span.setAttribute("order.status", "paid")
    return `${order} is paid`
  })

await TraceContext.initialize({
  serviceName: "shop",
  exporters: [
    new ConsoleExporter({
      format: "tree",
      attributes: ["order.id", "order.status", "payment.amount", "files"]
    })
  ]
})

console.log(await checkout("A-1", 42))
console.log(await checkout("A-2", 420).catch((error: Error) => `A-2 failed: ${error.message}`))

// A span without a callback ends with its block.
{
  using span = startSpan("cleanup")
  span.setAttribute("files", 3)
}

// Delivers what is left, within its time, and stops.
await TraceContext.shutdown()
