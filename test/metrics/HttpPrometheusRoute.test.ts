import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as HttpPrometheusRoute from "../../src/metrics/HttpPrometheusRoute.ts"
import * as MeterProvider from "../../src/metrics/MeterProvider.ts"
import * as PrometheusReader from "../../src/metrics/PrometheusReader.ts"

describe("HttpPrometheusRoute", () => {
  it.live("answers scrapes on an Effect router, by what is asked for", () =>
    Effect.gen(function*() {
      const provider = yield* MeterProvider.make()
      const reader = yield* Effect.provideService(PrometheusReader.make(), MeterProvider.MeterProvider, provider)
      const counter = provider.getMeter("m").createCounter("c")
      yield* Effect.withSpan(Effect.sync(() => counter.add(2)), "counted")
      const routes = HttpPrometheusRoute.layer().pipe(
        Layer.provide(Layer.succeed(PrometheusReader.PrometheusReader, reader))
      )
      const { dispose, handler } = HttpRouter.toWebHandler(routes)
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      const get = (headers: Record<string, string>) =>
        Effect.promise(() => handler(new Request("http://localhost/metrics", { headers })))
      const plain = yield* get({})
      assert.strictEqual(plain.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8")
      assert.include(yield* Effect.promise(() => plain.text()), `c_total{otel_scope_name="m"} 2`)
      const open = yield* get({ accept: "application/openmetrics-text;version=1.0.0" })
      assert.include(open.headers.get("content-type"), "application/openmetrics-text")
      // The plain answer before it has left the exemplar.
      assert.match(yield* Effect.promise(() => open.text()), / # \{trace_id=[^\n]*\n# EOF\n$/)
    }))
})
