/**
 * A real Prometheus scrapes us, and its API gives back what was measured; `promtool` finds nothing to say.
 *
 * Both are taken from `$PROMETHEUS_BIN`, a folder, or from the path (Debian's package `prometheus`); without them the
 * tests are skipped.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import * as EffectMetrics from "../../src/metrics/EffectMetrics.ts"
import * as MeterProvider from "../../src/metrics/MeterProvider.ts"
import * as PrometheusReader from "../../src/metrics/PrometheusReader.ts"
import * as PrometheusServer from "../../src/metrics/PrometheusServer.ts"
import * as Resource from "../../src/model/Resource.ts"
import { freePort } from "./server.ts"

const folders = [process.env["PROMETHEUS_BIN"] ?? "", ...(process.env["PATH"] ?? "").split(delimiter)]
const find = (name: string): string | undefined =>
  folders.filter((folder) => folder !== "").map((folder) => join(folder, name)).find((file) => existsSync(file))
const prometheus = find("prometheus")
const promtool = find("promtool")
if (prometheus === undefined || promtool === undefined) {
  console.log("Prometheus tests skipped: there is no prometheus and promtool in $PROMETHEUS_BIN or the path")
}

const start = Effect.gen(function*() {
  const provider = yield* MeterProvider.make({
    resource: Resource.make({ "service.name": "shop", "service.instance.id": "a" }),
    views: [{ select: { name: "exponential" }, aggregation: { type: "exponentialHistogram" } }]
  })
  const producers = [yield* EffectMetrics.make()]
  const reader = yield* Effect.provideService(
    PrometheusReader.make({ producers }),
    MeterProvider.MeterProvider,
    provider
  )
  const server = yield* Effect.provideService(
    PrometheusServer.make({ host: "127.0.0.1", port: 0 }),
    PrometheusReader.PrometheusReader,
    reader
  )
  return { provider, reader, server, url: `http://127.0.0.1:${server.port}/metrics` }
})

const measure = Effect.fnUntraced(function*(provider: MeterProvider.MeterProviderShape) {
  const meter = provider.getMeter("shop", { version: "1.0" })
  const requests = meter.createCounter("http.requests", { unit: "{request}", description: "Requests\nseen \"so\" far" })
  requests.add(5, { route: "/a", "odd \"key\"": "q\"\\\n☂" })
  meter.createUpDownCounter("queue.size").add(-2)
  meter.createGauge("temperature", { unit: "Cel" }).record(21.5)
  const duration = meter.createHistogram("duration", {
    unit: "s",
    description: "How long requests take",
    advice: { explicitBucketBoundaries: [0.1, 1, 10] }
  })
  const exponential = meter.createHistogram("exponential", { unit: "By" })
  for (let i = 1; i <= 100; i++) {
    exponential.record(i / 10)
    yield* Effect.withSpan(Effect.sync(() => duration.record(i / 20)), "request")
  }
  yield* Metric.update(Metric.counter("effect_jobs", { incremental: true }), 7)
  return requests
})

/** The default registry is one for all tests. */
const withRegistry = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, Metric.MetricRegistry, new Map())

describe("PrometheusServer", () => {
  it.live("answers its path by what is asked for, and nothing else", () =>
    withRegistry(Effect.gen(function*() {
      const { provider, url } = yield* start
      yield* measure(provider)
      const get = (path: string, init?: RequestInit) => Effect.promise(() => fetch(path, init))
      const open = yield* get(url, { headers: { accept: "application/openmetrics-text;version=1.0.0" } })
      assert.match(yield* Effect.promise(() => open.text()), /# \{trace_id=.*\n# EOF\n$/s)
      const plain = yield* get(url)
      assert.strictEqual(plain.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8")
      assert.include(yield* Effect.promise(() => plain.text()), "http_requests_total{")
      const head = yield* get(url, { method: "HEAD" })
      assert.deepStrictEqual([head.status, yield* Effect.promise(() => head.text())], [200, ""])
      assert.strictEqual((yield* get(url, { method: "POST" })).status, 405)
      assert.strictEqual((yield* get(`${url}/x`)).status, 404)
    })))

  it.live("a port that is taken is an error that says so", () =>
    withRegistry(Effect.gen(function*() {
      const { reader, server } = yield* start
      const error = yield* Effect.flip(
        Effect.provideService(
          PrometheusServer.make({ host: "127.0.0.1", port: server.port }),
          PrometheusReader.PrometheusReader,
          reader
        )
      )
      assert.include(error.message, `no Prometheus server on 127.0.0.1:${server.port}: `)
    })))
})

interface Found {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}

describe.skipIf(prometheus === undefined || promtool === undefined)("Prometheus", () => {
  it.live("promtool has nothing to say about the text format", () =>
    withRegistry(Effect.gen(function*() {
      const { provider, reader } = yield* start
      yield* measure(provider)
      const checked = spawnSync(promtool!, ["check", "metrics"], { input: reader.scrape().body, encoding: "utf8" })
      const complaints = `${checked.stdout}${checked.stderr}`.split("\n").filter((line) =>
        // What has no description is a matter of who measures.
        line !== "" && !line.endsWith("no help text")
      )
      assert.deepStrictEqual(complaints, [])
    })))

  it.live("scrapes values, types, quantiles and exemplars", () =>
    withRegistry(Effect.gen(function*() {
      const { provider, server } = yield* start
      const requests = yield* measure(provider)
      const port = yield* freePort
      const api = `http://127.0.0.1:${port}/api/v1`
      yield* running(server.port, port)
      const ask = <A>(path: string): Effect.Effect<A | undefined> =>
        Effect.promise(() =>
          fetch(`${api}/${path}`).then(
            // It answers 503 as long as it starts.
            async (response) => response.ok ? (await response.json() as { readonly data?: A }).data : undefined,
            () => undefined
          )
        )
      const query = (expression: string) =>
        Effect.map(
          ask<{ readonly result: ReadonlyArray<Found> }>(`query?query=${encodeURIComponent(expression)}`),
          (data) => data?.result ?? []
        )
      const until = (expression: string, holds: (found: ReadonlyArray<Found>) => boolean) =>
        Effect.gen(function*() {
          for (let i = 0; i < 300; i++) {
            const found = yield* query(expression)
            if (holds(found)) return found
            yield* Effect.sleep(100)
          }
          return yield* Effect.die(`Prometheus never had ${expression}`)
        })
      const [counted] = yield* until("http_requests_total", (found) => found.length === 1)
      assert.strictEqual(counted!.value[1], "5")
      assert.deepInclude(counted!.metric, {
        route: "/a",
        odd_key_: "q\"\\\n☂",
        otel_scope_name: "shop",
        otel_scope_version: "1.0"
      })
      requests.add(1, { route: "/a", "odd \"key\"": "q\"\\\n☂" })
      yield* until("http_requests_total", ([found]) => found?.value[1] === "6")
      const value = (expression: string) => Effect.map(query(expression), ([found]) => Number(found?.value[1]))
      assert.strictEqual(yield* value("queue_size"), -2)
      assert.strictEqual(yield* value("temperature_celsius"), 21.5)
      assert.strictEqual(yield* value("effect_jobs_total"), 7)
      assert.strictEqual(yield* value("duration_seconds_count"), 100)
      assert.closeTo(yield* value("duration_seconds_sum"), 252.5, 1e-9)
      assert.strictEqual(yield* value("duration_seconds_bucket{le=\"1.0\"}"), 20)
      assert.closeTo(yield* value("histogram_quantile(0.9, exponential_bytes_bucket)"), 9, 9 * 0.05)
      assert.strictEqual(yield* value("count(target_info{service_name=\"shop\",service_instance_id=\"a\"})"), 1)
      const types = yield* ask<Readonly<Record<string, ReadonlyArray<{ readonly type: string }>>>>("metadata")
      const typeOf = (name: string): string | undefined => types?.[name]?.[0]?.type
      assert.deepStrictEqual(
        ["http_requests", "queue_size", "duration_seconds", "exponential_bytes"].map((name) =>
          typeOf(name) ?? typeOf(`${name}_total`)
        ),
        ["counter", "gauge", "histogram", "histogram"]
      )
      const now = Math.floor(performance.timeOrigin / 1000)
      const exemplars = yield* ask<
        ReadonlyArray<{ readonly exemplars: ReadonlyArray<{ readonly labels: Readonly<Record<string, string>> }> }>
      >(`query_exemplars?query=duration_seconds_bucket&start=${now - 60}&end=${now + 600}`)
      const found = (exemplars ?? []).flatMap(({ exemplars }) => exemplars)
      assert.isAtLeast(found.length, 1)
      assert.match(found[0]!.labels["trace_id"] ?? "", /^[0-9a-f]{32}$/)
    })), 60_000)
})

/** A Prometheus that scrapes `target` twice a second, until the scope closes. */
const running = (target: number, port: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const folder = mkdtempSync(join(tmpdir(), "prometheus-"))
      const config = join(folder, "prometheus.yml")
      writeFileSync(
        config,
        `global: {scrape_interval: 500ms, scrape_timeout: 400ms}\n`
          + `scrape_configs: [{job_name: shop, static_configs: [{targets: ["127.0.0.1:${target}"]}]}]\n`
      )
      const child: ChildProcess = spawn(prometheus!, [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--enable-feature=exemplar-storage"
      ], { stdio: "ignore" })
      return { folder, child }
    }),
    ({ child, folder }) =>
      Effect.callback<void>((resume) => {
        child.once("exit", () => {
          rmSync(folder, { recursive: true, force: true })
          resume(Effect.void)
        })
        child.kill("SIGKILL")
      })
  )
