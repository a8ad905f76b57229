/** A class with decorated methods; says what was recorded. A program of its own, since the test runner knows no decorators. */
import { InMemorySpanExporter } from "effect-telemetry"
import { getCurrentSpan, trace, TraceContext, traced } from "effect-telemetry/promise"
import * as Effect from "effect/Effect"

class Shop {
  readonly currency = "EUR"

  @traced()
  price(sku: string): string {
    return `${sku} in ${this.currency}, ${getCurrentSpan()?.name}`
  }

  @traced("payment", { kind: "client", attributes: (cents: number, method?: string) => ({ cents, method }) })
  async pay(cents: number, method?: string): Promise<string> {
    await Promise.resolve()
    if (cents < 0) throw new RangeError("less than nothing")
    return `${cents} ${this.#reference("a")} by ${method}`
  }

  @traced
  #reference(prefix: string): string {
    return `${prefix}-${this.currency}`
  }

  @traced("open", { attributes: { branch: 7 } })
  static open(): Shop {
    return new this()
  }

  @traced()
  *items(to: number): Generator<number, string, undefined> {
    for (let i = 0; i < to; i++) yield i
    return this.currency
  }

  @traced({ attributes: (to: number) => ({ to }) })
  async *pages(to: number): AsyncGenerator<string, void, undefined> {
    for (let i = 0; i < to; i++) yield `${i} ${this.currency}`
  }

  @traced()
  [Symbol.for("named")](): void {}
}

class Outlet extends Shop {
  @traced()
  override price(sku: string): string {
    return `less: ${super.price(sku)}`
  }
}

const memory = InMemorySpanExporter.makeUnsafe()
await TraceContext.initialize({ env: {}, detectors: ["none"], exporters: [memory.exporter] })
const results: Array<unknown> = []
const pages: Array<string> = []
await trace("all", async () => {
  const shop = Shop.open()
  results.push(shop.price("A1"), new Outlet().price("B2"), await shop.pay(5, "card"))
  results.push(await shop.pay(-1).catch((error: Error) => error.message))
  results.push([...shop.items(2)])
  for await (const page of shop.pages(2)) pages.push(page)
  ;(shop as unknown as Record<symbol, () => void>)[Symbol.for("named")]!()
})
results.push(pages, Shop.prototype.price.name, Shop.prototype.pay.length)
await TraceContext.shutdown()
const spans = (await Effect.runPromise(memory.spans)).map(({ attributes, kind, name, status }) => ({
  name,
  kind,
  status: status.code,
  cents: attributes["cents"],
  method: attributes["method"],
  branch: attributes["branch"],
  to: attributes["to"]
}))
console.log(JSON.stringify({ results, spans }))
