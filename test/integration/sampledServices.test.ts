/**
 * Five services in processes of their own, each with another sampler, and a hop between them that knows no tracestate:
 * what arrives is whole at the lowest rate, and its weights count what really happened.
 *
 * ```
 * driver > edge (1/2 of what it starts) > orders (follows) > stock (1/4, by a rule) > billing (3/4, the most of two)
 *                                                          > a legacy hop > pricing (follows)
 * ```
 *
 * Trace ids and randomness come from fixed seeds, so the same traces are kept in every run.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { Agent, get } from "node:http"
import { fileURLToPath } from "node:url"
import type { SpanData } from "../../src/model/SpanData.ts"
import * as OtTraceState from "../../src/sampling/OtTraceState.ts"
import type { SamplingConfig } from "../../src/sampling/SamplingConfig.ts"
import { toProbability } from "../../src/sampling/Threshold.ts"
import * as IdGenerator from "../../src/tracing/IdGenerator.ts"
import { spansOf } from "./programs.ts"
import { start } from "./server.ts"
import type { ServiceOptions } from "./services/service.ts"

const edgeSeed = 20_261_125
const roots = 2_000
const legacy = 400
const explicit = 800

const word = (value: number): string => (value >>> 0).toString(16).padStart(8, "0")

const traceIds = (seed: number, count: number): ReadonlyArray<string> => {
  const ids = IdGenerator.seeded(seed)
  const words = new Int32Array(4)
  return Array.from({ length: count }, () => {
    ids.writeTraceId(words)
    return [...words].map(word).join("")
  })
}

/** One request of the driver, and the randomness that its trace has. */
interface Request {
  readonly kind: "root" | "legacy" | "explicit"
  readonly traceId: string
  readonly randomness: string
  readonly headers: Record<string, string>
}

const requests: ReadonlyArray<Request> = [
  ...traceIds(edgeSeed, roots).map((traceId): Request => ({
    kind: "root",
    traceId,
    randomness: traceId.slice(18),
    headers: {}
  })),
  // A parent of before tracestate and random flag; it was sampled, nobody knows with what probability.
  ...traceIds(7, legacy).map((traceId): Request => ({
    kind: "legacy",
    traceId,
    randomness: traceId.slice(18),
    headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` }
  })),
  // Ids that are not random at all, randomness of their own, and an upstream that keeps half.
  ...traceIds(11, explicit).map((random, i): Request => {
    const randomness = random.slice(18)
    const traceId = `${word(i + 1)}000000000000000000000001`
    const [flags, threshold] = randomness >= "8" ? ["01", "th:8;"] : ["00", ""]
    return {
      kind: "explicit",
      traceId,
      randomness,
      headers: {
        traceparent: `00-${traceId}-00f067aa0ba902b7-${flags}`,
        tracestate: `other=1,ot=${threshold}rv:${randomness}`
      }
    }
  })
]

const services = ["edge", "orders", "stock", "billing", "pricing"] as const
type Service = typeof services[number]

const isKept = (service: Service, { kind, randomness }: Request): boolean => {
  switch (service) {
    case "stock":
      return randomness >= "c"
    case "billing":
      return randomness >= "4"
    default:
      return kind === "legacy" || randomness >= "8"
  }
}

/** `th` of the spans of a service; `undefined` where their weight is unknown. */
const thresholdOf = (service: Service, { kind }: Request): string | undefined =>
  service === "stock"
    ? "th:c"
    : service === "billing"
    ? "th:4"
    : service === "pricing" || kind === "legacy"
    ? undefined
    : "th:8"

const serviceOf = (span: SpanData): Service => span.resource.attributes["service.name"] as Service

/** Traces that are whole: each service answered, and nobody's parent is missing but the driver's. */
const wholeTraces = (spans: ReadonlyArray<SpanData>): ReadonlySet<string> => {
  const traces = new Map<string, Array<SpanData>>()
  for (const span of spans) {
    const trace = traces.get(span.traceId)
    if (trace === undefined) traces.set(span.traceId, [span])
    else trace.push(span)
  }
  const isWhole = (trace: ReadonlyArray<SpanData>): boolean => {
    const ids = new Set(trace.map(({ spanId }) => spanId))
    return services.every((service) => trace.some((span) => span.kind === "SERVER" && serviceOf(span) === service)) &&
      trace.every(({ parentSpanId }) =>
        parentSpanId === undefined || parentSpanId === "00f067aa0ba902b7" || ids.has(parentSpanId)
      )
  }
  return new Set([...traces].filter(([, trace]) => isWhole(trace)).map(([traceId]) => traceId))
}

interface Estimate {
  readonly count: number
  /** Half of the 95 % confidence interval. */
  readonly margin: number
  readonly unknown: number
}

/** How many requests a service answered, judged by what it exported. */
const estimate = (spans: ReadonlyArray<SpanData>, service: Service): Estimate => {
  let count = 0
  let variance = 0
  let unknown = 0
  for (const span of spans) {
    if (span.kind !== "SERVER" || serviceOf(span) !== service) continue
    const { threshold } = OtTraceState.read(span.traceState)
    if (threshold === undefined) {
      unknown++
      continue
    }
    const p = toProbability(threshold)
    count += 1 / p
    variance += (1 - p) / p ** 2
  }
  return { count, margin: 1.96 * Math.sqrt(variance), unknown }
}

/** What the services say beside their addresses. */
const said: Array<string> = []

const launch = (
  file: string,
  argument: string
): Effect.Effect<{ url: string; child: ChildProcess }, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [
        "--import",
        "tsx",
        "--conditions=effect-telemetry-source",
        fileURLToPath(new URL(`services/${file}`, import.meta.url)),
        argument
      ], { stdio: ["ignore", "pipe", "pipe"] })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  ).pipe(
    Effect.flatMap((child) =>
      Effect.promise(() =>
        new Promise<{ url: string; child: ChildProcess }>((resolve, reject) => {
          let text = ""
          child.stderr!.on("data", (chunk: Buffer) => {
            text += chunk.toString()
            said.push(chunk.toString())
          })
          child.stdout!.on("data", (chunk: Buffer) => {
            text += chunk.toString()
            const url = /listening on (\S+)/.exec(text)?.[1]
            if (url !== undefined) resolve({ url, child })
          })
          child.on("exit", () => reject(new Error(`${file} ended: ${text}`)))
        })
      )
    )
  )

const ended = (child: ChildProcess): Effect.Effect<void> =>
  Effect.promise(() =>
    new Promise((resolve) => {
      child.removeAllListeners("exit").on("exit", () => resolve())
      child.kill("SIGTERM")
    })
  )

const drive = Effect.gen(function*() {
  const backend = yield* start()
  const collector = new URL(backend.url).origin
  const service = (name: Service, head: SamplingConfig["head"], next: ReadonlyArray<string>) => {
    // A service that starts a trace where it should go on with one does not hide among the traces of the edge.
    const seed = name === "edge" ? edgeSeed : edgeSeed + 1 + services.indexOf(name)
    const options: ServiceOptions = { name, config: { head }, next, collector, seed }
    return launch("service.ts", JSON.stringify(options))
  }
  const [pricing, billing] = yield* Effect.all([
    service("pricing", { parentBased: { root: "always_on" } }, []),
    service("billing", { anyOf: [{ probability: 0.75 }, { traceIdRatio: 0.125 }] }, [])
  ], { concurrency: "unbounded" })
  const [hop, stock] = yield* Effect.all([
    launch("legacyProxy.ts", pricing.url),
    service("stock", {
      ruleBased: {
        rules: [{ id: "requests", when: { field: "kind", eq: "server" }, sampler: { probability: 0.25 } }],
        otherwise: { parentBased: { root: "always_off" } }
      }
    }, [billing.url])
  ], { concurrency: "unbounded" })
  const orders = yield* service("orders", { composite: { parentBased: { root: "always_off" } } }, [stock.url, hop.url])
  const edge = yield* service("edge", { parentBased: { root: { traceIdRatio: 0.5 } } }, [orders.url])

  const agent = new Agent({ keepAlive: true })
  const statuses = yield* Effect.forEach(
    requests,
    ({ headers }) =>
      Effect.promise(() =>
        new Promise<number>((resolve, reject) =>
          get(edge.url, { agent, headers }, (answer) => answer.resume().on("end", () => resolve(answer.statusCode!)))
            .on("error", reject)
        )
      ),
    { concurrency: 16 }
  )
  agent.destroy()
  assert.isTrue(statuses.every((status) => status === 200))
  yield* Effect.forEach([edge, orders, stock, billing, pricing], ({ child }) => ended(child), {
    concurrency: "unbounded",
    discard: true
  })
  return spansOf(backend)
})

describe("five services with samplers of their own", () => {
  it.live("traces are whole at the lowest rate, and weights count what happened", () =>
    Effect.gen(function*() {
      const spans = yield* drive
      // A service that loses a span says so.
      assert.deepStrictEqual(said, [])
      const byId = new Map(requests.map((request) => [request.traceId, request]))

      // Every service kept the traces that it had to keep, and no other, and wrote the right weight on each span.
      for (const service of services) {
        const kept = new Set(spans.filter((span) => serviceOf(span) === service).map(({ traceId }) => traceId))
        const expected = requests.filter((request) => isKept(service, request)).map(({ traceId }) => traceId)
        assert.deepStrictEqual([...kept].sort(), [...expected].sort(), service)
      }
      for (const span of spans) {
        const request = byId.get(span.traceId)!
        const service = serviceOf(span)
        const ot = span.traceState.split(",").find((member) => member.startsWith("ot="))
        const threshold = ot?.slice(3).split(";").find((pair) => pair.startsWith("th:"))
        assert.strictEqual(threshold, thresholdOf(service, request), `${service}, ${request.kind}`)
        if (request.kind === "explicit" && service !== "pricing") {
          assert.include(ot, `rv:${request.randomness}`)
          assert.include(span.traceState, "other=1")
        }
        // The random flag of roots goes as far as it is understood, and nobody adds one.
        assert.strictEqual((span.traceFlags & 2) === 2, request.kind === "root" && service !== "pricing", service)
      }

      const whole = wholeTraces(spans)
      const lowest = requests.filter((request) => services.every((service) => isKept(service, request)))
      assert.deepStrictEqual([...whole].sort(), lowest.map(({ traceId }) => traceId).sort())
      // The lowest rate, give or take what chance does.
      assert.approximately(whole.size / requests.length, 0.25, 1.96 * Math.sqrt(0.25 * 0.75 / requests.length))

      // What each service answered: all requests, but for those whose weight it cannot know.
      for (const service of services) {
        const { count, margin, unknown } = estimate(spans, service)
        const isBlind = service === "edge" || service === "orders"
        if (service === "pricing") {
          assert.strictEqual(count, 0)
          assert.strictEqual(unknown, requests.filter((request) => isKept(service, request)).length)
        } else {
          const truth = roots + explicit + (isBlind ? 0 : legacy)
          assert.approximately(count, truth, margin, service)
          assert.strictEqual(unknown, isBlind ? legacy : 0)
        }
      }

      // The checks can fail: a service that decides by itself, and a weight that says half.
      const alone = spans.filter((span) => serviceOf(span) !== "orders" || span.spanId < "8")
      assert.isBelow(wholeTraces(alone).size, lowest.length)
      const wrong = spans.map((span) => ({ ...span, traceState: span.traceState.replace("th:c", "th:8") }))
      const misjudged = estimate(wrong, "stock")
      assert.isAbove(Math.abs(misjudged.count - (roots + explicit + legacy)), misjudged.margin)
    }), 240_000)
})
