/**
 * One service in a process of its own: it answers every request with a span, and calls the next services in turn. Its one
 * argument is {@link ServiceOptions} as JSON. It says `listening on URL`, and ends at SIGTERM, after delivering.
 */
import { IdGenerator, Sampling, type SamplingConfig, TelemetryLayer, Trace } from "effect-telemetry"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { Agent, createServer, get, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"

export interface ServiceOptions {
  readonly name: string
  readonly config: SamplingConfig.SamplingConfig
  readonly next: ReadonlyArray<string>
  readonly collector: string
  readonly seed: number
}

const { collector, config, name, next, seed } = JSON.parse(process.argv[2]!) as ServiceOptions

// Which spans take which ids depends on the order of requests; which trace ids there are must not.
const ids = Layer.succeed(IdGenerator.IdGenerator, {
  ...IdGenerator.random,
  writeTraceId: IdGenerator.seeded(seed).writeTraceId
})

const runtime = ManagedRuntime.make(
  TelemetryLayer({
    serviceName: name,
    env: {},
    detectors: ["none"],
    otlp: { endpoint: collector },
    shutdownTimeout: "20 seconds",
    batch: { maxQueueSize: 100_000 },
    shutdownOn: ["SIGTERM"]
  }).pipe(Layer.provide(Sampling.layer(config)), Layer.provide(ids))
)

const agent = new Agent({ keepAlive: true })

const call = (url: string) =>
  Effect.flatMap(
    Trace.headersFor(url),
    (headers) =>
      Effect.promise(() =>
        new Promise<void>((resolve, reject) =>
          get(url, { agent, headers }, (response) => {
            response.resume().on("end", () => {
              if (response.statusCode === 200) resolve()
              else reject(new Error(`${url} answered with ${response.statusCode}`))
            })
          }).on("error", reject)
        )
      )
  ).pipe(Trace.span("call", { kind: "client" }))

const handle = ({ headers }: IncomingMessage) =>
  Effect.forEach(next, call, { discard: true }).pipe(
    Trace.span("handle", { kind: "server" }),
    Trace.withHeaders(headers)
  )

const server = createServer((request, response) => {
  runtime.runPromise(handle(request)).then(
    () => response.writeHead(200).end(),
    (error: unknown) => response.writeHead(500).end(String(error))
  )
})
// A connection that is closed while a request is on its way would lose that request.
server.keepAliveTimeout = 0
await runtime.runPromise(Effect.void)
server.listen(
  0,
  "127.0.0.1",
  () => console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
)
