/**
 * The tier of examples/collector-tier, with the very files that are shown there: an agent that balances by trace id, and
 * two gateways that sample by whole traces. A gateway is stopped and started again while traces come in.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { connect } from "node:net"
import { fileURLToPath } from "node:url"
import { TelemetryLayer } from "../../src/Telemetry.ts"
import * as Trace from "../../src/tracing/Trace.ts"
import { spansOf } from "./programs.ts"
import { freePort, start, type TestServer } from "./server.ts"

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
const binary = process.env["OTELCOL_BIN"] ?? path("../../.cache/collector/otelcol")
const isPresent = existsSync(binary)
if (!isPresent) {
  console.log(`collector tier tests skipped: there is no ${binary}; build it with "node scripts/collector/build.mjs"`)
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false))
    socket.on("connect", () => socket.destroy())
  })

const until = (check: () => boolean | Promise<boolean>, what: () => string): Effect.Effect<void> =>
  Effect.sleep("50 millis").pipe(
    Effect.andThen(Effect.promise(async () => await check())),
    Effect.repeat({ until: (holds) => holds }),
    Effect.timeout("30 seconds"),
    Effect.catch(() => Effect.die(new Error(what())))
  )

/** Starts a Collector; it is told to end, and waited for, when the scope closes. */
const collector = (
  config: string,
  port: number,
  env: Record<string, string>
): Effect.Effect<void, never, Scope.Scope> => {
  let log = ""
  const launch = (): ChildProcess => {
    const child = spawn(binary, ["--config", path(`../../examples/collector-tier/${config}`)], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "pipe"]
    })
    child.stderr!.on("data", (chunk: Buffer) => log += chunk.toString())
    return child
  }
  return Effect.acquireRelease(Effect.sync(launch), (child) =>
    Effect.promise(() =>
      new Promise<void>((resolve) => {
        if (child.exitCode !== null) return resolve()
        child.on("exit", () => resolve())
        child.kill("SIGTERM")
      })
    )).pipe(
      Effect.andThen(until(() => isListening(port), () => `${config} does not listen: ${log.slice(-2_000)}`)),
      Effect.asVoid
    )
}

interface Tier {
  readonly agent: string
  /** What each gateway kept. */
  readonly backends: readonly [TestServer, TestServer]
  /** Stops the second gateway, or starts it again. */
  readonly stop: Effect.Effect<void>
  readonly restart: Effect.Effect<void>
}

const tier = Effect.fnUntraced(function*(env: Record<string, string>): Effect.fn.Return<Tier, never, Scope.Scope> {
  const backends = [yield* start(), yield* start()] as const
  const [agentPort, first, second] = [yield* freePort, yield* freePort, yield* freePort]
  const gateway = (port: number, backend: TestServer) =>
    collector("gateway.yaml", port, {
      ...env,
      GATEWAY_ENDPOINT: `127.0.0.1:${port}`,
      BACKEND: new URL(backend.url).origin
    })
  let scope = yield* Scope.make()
  yield* gateway(first, backends[0])
  yield* Scope.provide(gateway(second, backends[1]), scope)
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  yield* collector("agent.yaml", agentPort, {
    AGENT_ENDPOINT: `127.0.0.1:${agentPort}`,
    GATEWAY_1: `127.0.0.1:${first}`,
    GATEWAY_2: `127.0.0.1:${second}`
  })
  return {
    agent: `http://127.0.0.1:${agentPort}`,
    backends,
    stop: Effect.suspend(() => Scope.close(scope, Exit.void)),
    restart: Effect.gen(function*() {
      scope = yield* Scope.make()
      yield* Scope.provide(gateway(second, backends[1]), scope)
    })
  }
})

const spansOfTrace = 4

/** Traces of four spans; each batch takes few, so that the spans of a trace come in several requests. */
const traces = (agent: string, from: number, to: number, isError: (i: number) => boolean = () => false) =>
  Effect.forEach(
    Array.from({ length: to - from }, (_, i) => from + i),
    (i) => {
      const leaf = Trace.span(isError(i) ? Effect.exit(Effect.fail("broken")) : Effect.void, "leaf")
      const failing = Trace.span(isError(i) ? Effect.fail("broken") : Effect.void, "failing")
      return Effect.exit(Trace.root(
        Effect.andThen(Effect.andThen(leaf, Effect.exit(failing)), Trace.span(Effect.void, "last")),
        `trace ${i}`
      ))
    },
    { discard: true }
  ).pipe(
    Effect.provide(TelemetryLayer({
      serviceName: "tier",
      otlp: { endpoint: agent },
      batch: { maxExportBatchSize: 3, maxQueueSize: 10_000 },
      shutdownTimeout: "20 seconds"
    }))
  )

/** How many spans of each trace arrived behind each gateway, by the root's name. */
const pieces = (backends: Tier["backends"]): Map<string, [number, number]> => {
  const names = new Map<string, string>()
  const counts = new Map<string, [number, number]>()
  backends.forEach((backend, index) => {
    for (const span of spansOf(backend)) {
      if (span.name.startsWith("trace ")) names.set(span.traceId, span.name)
      const count = counts.get(span.traceId) ?? [0, 0]
      count[index === 0 ? 0 : 1]++
      counts.set(span.traceId, count)
    }
  })
  return new Map([...counts].map(([id, count]) => [names.get(id) ?? id, count]))
}

const arrived = (backends: Tier["backends"]): number =>
  backends.reduce((sum, backend) => sum + spansOf(backend).length, 0)

describe.skipIf(!isPresent)("the Collector tier", () => {
  it.live(
    "brings every trace whole to one gateway, while the other is stopped and started",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const { agent, backends, restart, stop } = yield* tier({ DECISION_WAIT: "1s", KEEP_PERCENT: "100" })
        const count = 300
        yield* traces(agent, 0, 100)
        yield* stop
        yield* traces(agent, 100, 200)
        yield* restart
        yield* traces(agent, 200, count)
        yield* until(
          () => arrived(backends) >= count * spansOfTrace,
          () => `${arrived(backends)} of ${count * spansOfTrace} spans arrived`
        )
        const found = pieces(backends)
        assert.strictEqual(found.size, count)
        const broken = [...found].filter(([, [first, second]]) =>
          !(first === spansOfTrace && second === 0) && !(first === 0 && second === spansOfTrace)
        )
        assert.deepStrictEqual(broken, [])
        const behind = (index: 0 | 1) => [...found.values()].filter((piece) => piece[index] > 0).length
        assert.isAbove(behind(0), count / 10)
        assert.isAbove(behind(1), count / 10)
      })),
    90_000
  )

  it.live(
    "keeps traces with an error, whole, and no other, where that is asked for",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const { agent, backends } = yield* tier({ DECISION_WAIT: "1s", KEEP_PERCENT: "0" })
        yield* traces(agent, 0, 100, (i) => i % 10 === 0)
        yield* until(() => arrived(backends) >= 40, () => `${arrived(backends)} of 40 spans arrived`)
        const found = pieces(backends)
        assert.deepStrictEqual([...found.keys()].sort(), Array.from({ length: 10 }, (_, i) => `trace ${i * 10}`).sort())
        for (const [first, second] of found.values()) assert.strictEqual(first + second, spansOfTrace)
      })),
    60_000
  )
})
