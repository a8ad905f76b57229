/** Starts the shop, orders twice as somebody from outside would, and looks whether both traces arrived whole. */
import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer, Tracer } from "effect"
import { Effect3Telemetry } from "telemetry"
import { check, show } from "./check.ts"
import { listen } from "./receiver.ts"
import { received, start } from "./shop.ts"

const receiver = await listen()

/** The telemetry of the program: started before it, shut down after it. */
const Telemetry = Layer.unwrapScoped(
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() =>
        Effect3Telemetry.start({
          serviceName: "shop",
          // Without these two, OTEL_EXPORTER_OTLP_ENDPOINT says where to, and the form is protobuf.
          otlp: { endpoint: receiver.url, protocol: "http/json" }
        })
      ),
      (telemetry) => Effect.promise(() => telemetry.shutdown())
    ),
    (telemetry) =>
      Layer.merge(
        Layer.setTracer(Tracer.make(telemetry.tracer)),
        Layer.succeed(FetchHttpClient.Fetch, telemetry.fetch)
      )
  )
)

export const outside = {
  good: { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" },
  bad: { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" }
}

const send = (url: string, from: { readonly traceId: string; readonly spanId: string }, body: unknown) =>
  Effect.promise(() =>
    fetch(`${url}/orders`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        traceparent: `00-${from.traceId}-${from.spanId}-01`,
        tracestate: "browser=1",
        baggage: "customer=7"
      },
      body: JSON.stringify(body)
    }).then(({ status }) => status)
  )

const statuses = await Effect.gen(function*() {
  const url = yield* start
  return [
    yield* send(url, outside.good, { sku: "A1", quantity: 2 }),
    yield* send(url, outside.bad, { sku: "A1", quantity: -1 })
  ]
}).pipe(Effect.scoped, Effect.provide(Telemetry), Effect.runPromise)

receiver.close()
for (const { traceId } of [outside.good, outside.bad]) console.log(show(receiver.spans, traceId))
const problems = check({ spans: receiver.spans, outside, statuses, received })
for (const problem of problems) console.error(`not as it should be: ${problem}`)
if (problems.length > 0) process.exitCode = 1
else console.log(`two traces of ${receiver.spans.length} spans arrived whole`)
