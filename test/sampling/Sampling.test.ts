import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import { spawnSync } from "node:child_process"
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { Transport, TransportError } from "../../src/delivery/Transport.ts"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import { Sampler } from "../../src/sampling/Sampler.ts"
import * as Sampling from "../../src/sampling/Sampling.ts"
import * as Threshold from "../../src/sampling/Threshold.ts"
import type { SamplingConfig } from "../../src/sampling/SamplingConfig.ts"
import { collected, scripted, type Step } from "../delivery/support.ts"
import { temporary } from "../integration/programs.ts"
import { reply, start } from "../integration/server.ts"

const half: SamplingConfig = { version: "half", head: { traceIdRatio: 0.5 } }
const all: SamplingConfig = { version: "all", head: "always_on" }
const none: SamplingConfig = { version: "none", head: "always_off" }

/** The layer's services, and what it says. */
const built = Effect.fnUntraced(
  function*<E>(layer: Layer.Layer<Sampler | Sampling.Sampling, E>, transport?: Transport["Service"]) {
    const { diagnostics, lines } = collected()
    const provided = layer.pipe(
      Layer.provide(Layer.succeed(Diagnostics, diagnostics)),
      Layer.provide(transport === undefined ? Layer.empty : Layer.succeed(Transport, transport))
    )
    const context = yield* Layer.build(provided)
    return yield* Effect.gen(function*() {
      return { lines, sampler: yield* Sampler, sampling: yield* Sampling.Sampling }
    }).pipe(Effect.provideContext(context))
  }
)

/** Runs an effect to its end that waits for both real files and the test's clock. */
const settled = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkScoped(effect)
    while (fiber.pollUnsafe() === undefined) {
      yield* Effect.promise(() => setImmediate())
      yield* TestClock.adjust("10 millis")
    }
    return yield* Fiber.join(fiber)
  })

describe("Sampling.layer", () => {
  it.effect("samples by a value", () =>
    Effect.gen(function*() {
      const { sampler, sampling } = yield* built(Sampling.layer(half))
      assert.strictEqual(sampler.description, "Probability{0.5}")
      assert.strictEqual(sampler.configVersion, "half")
      assert.deepStrictEqual(yield* sampling.current, half)
    }))

  it.effect("fails for a value that cannot be taken, in one clear line", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(built(Sampling.layer({ head: { traceIdRatio: 3 } })))
      assert.strictEqual(
        error.message,
        "sampling configuration of options: head.traceIdRatio is 3, expected a value between 0 and 1"
      )
    }))
})

describe("Sampling.layerRef", () => {
  it.effect("follows the reference, for spans that start from then on", () =>
    Effect.gen(function*() {
      const ref = yield* SubscriptionRef.make(half)
      const { sampler, sampling } = yield* built(Sampling.layerRef(ref))
      const versions = yield* sampling.changes.pipe(
        Stream.map(({ version }) => version),
        Stream.take(2),
        Stream.runCollect,
        Effect.forkScoped
      )
      yield* Effect.yieldNow
      yield* SubscriptionRef.set(ref, none)
      assert.deepStrictEqual(yield* Fiber.join(versions), ["half", "none"])
      assert.strictEqual(sampler.description, "AlwaysOff")
      assert.strictEqual(sampler.configVersion, "none")
      assert.isDefined(sampler.decideByParent)
    }))

  it.effect("does not swap for a configuration that says the same", () =>
    Effect.gen(function*() {
      const ref = yield* SubscriptionRef.make(half)
      const { sampler, sampling } = yield* built(Sampling.layerRef(ref))
      const before = sampler.decideByParent
      yield* SubscriptionRef.set(ref, { head: { traceIdRatio: 0.5 }, version: "half" })
      yield* sampling.refresh
      assert.strictEqual(sampler.decideByParent, before)
      yield* SubscriptionRef.set(ref, { head: { traceIdRatio: 0.25 }, version: "half" })
      yield* sampling.refresh
      assert.notStrictEqual(sampler.decideByParent, before)
    }))

  it.effect("keeps the last good one, and says why", () =>
    Effect.gen(function*() {
      const ref = yield* SubscriptionRef.make(half)
      const { lines, sampling } = yield* built(Sampling.layerRef(ref))
      yield* SubscriptionRef.set(ref, { head: { traceIdRatio: -1 } })
      yield* sampling.refresh
      assert.deepStrictEqual(yield* sampling.current, half)
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0], "head.traceIdRatio is -1")
    }))
})

describe("a reload", () => {
  const jaeger = (serviceName: string) => ({
    jaegerRemote: { endpoint: "https://jaeger.example/sampling", serviceName, pollingInterval: 60_000 }
  })
  const strategy = {
    status: 200,
    body: new TextEncoder().encode(
      JSON.stringify({ strategyType: "PROBABILISTIC", probabilisticSampling: { samplingRate: 0.125 } })
    )
  }

  it.effect("goes on with the parts that stay the same, starts new ones and ends old ones", () =>
    Effect.gen(function*() {
      const server = scripted(Array.from({ length: 100 }, () => strategy))
      const asked = () => {
        const names = server.requests.map(({ url }) => new URL(url).searchParams.get("service"))
        server.requests.length = 0
        return names.sort()
      }
      const ref = yield* SubscriptionRef.make<SamplingConfig>({
        head: { anyOf: [jaeger("a"), jaeger("a"), { traceIdRatio: 0.25 }] }
      })
      const { sampler, sampling } = yield* built(Sampling.layerRef(ref), server.transport)
      const reload = (head: SamplingConfig["head"]) =>
        SubscriptionRef.set(ref, { head }).pipe(Effect.andThen(sampling.refresh), Effect.andThen(Effect.yieldNow))
      yield* Effect.yieldNow
      // Two that are alike are two.
      assert.deepStrictEqual(asked(), ["a", "a"])

      // Under another roof, and beside others: what they have learned stays, and nobody asks anew.
      yield* reload({
        parentBased: { root: { anyOf: [{ traceIdRatio: 0.5 }, jaeger("a"), jaeger("b"), jaeger("a")] } }
      })
      assert.deepStrictEqual(asked(), ["b"])
      // As they were when the new whole was put together, before the third had its first answer.
      assert.strictEqual(sampler.description.match(/Probability\{0.125\}/g)?.length, 2)

      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(asked(), ["a", "a", "b"])
      yield* reload({ anyOf: [jaeger("b"), jaeger("a")] })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(asked(), ["a", "b"])
      yield* reload("always_on")
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(asked(), [])
    }))

  it.effect("a Jaeger backend is asked about the service that the program states, where the configuration names none", () =>
    Effect.gen(function*() {
      const server = scripted([])
      const jaegerRemote = { endpoint: "https://jaeger.example/sampling" }
      yield* built(
        Sampling.layer({ head: { anyOf: [{ jaegerRemote }, jaeger("own")] } }, { serviceName: "shop" }),
        server.transport
      )
      yield* Effect.yieldNow
      const names = server.requests.map(({ url }) => new URL(url).searchParams.get("service"))
      assert.deepStrictEqual(names.sort(), ["own", "shop"])
    }))

  it.effect("an adaptive sampler keeps what it has learned, also under another goal or another roof", () =>
    Effect.gen(function*() {
      const adaptive = (tracesPerSecond: number, key = "name"): SamplingConfig["head"] => ({
        adaptive: { tracesPerSecond, key: [{ field: key as "name" }] }
      })
      const ref = yield* SubscriptionRef.make<SamplingConfig>({ head: adaptive(100) })
      const { sampler, sampling } = yield* built(Sampling.layerRef(ref))
      const reload = (head: SamplingConfig["head"]) =>
        Effect.andThen(SubscriptionRef.set(ref, { head }), sampling.refresh)
      const decide = (name: string): number =>
        Threshold.toProbability(
          sampler.decide({
            name,
            kind: "server",
            traceId: "0af7651916cd43dd8448eb211c80319c",
            attributes: {},
            links: [],
            parent: undefined
          }).threshold
        )
      // 1,000 traces a second of one name, 2 of another.
      const run = Effect.gen(function*() {
        for (let tick = 0; tick < 3_000; tick++) {
          yield* TestClock.adjust("10 millis")
          for (let i = 0; i < 10; i++) decide("frequent")
          if (tick % 50 === 0) decide("rare")
        }
      })
      yield* run
      const settled = decide("frequent")
      assert.approximately(settled, 0.08, 0.04)
      assert.isAbove(decide("rare"), 0.5)

      yield* reload({ parentBased: { root: { annotate: { sampler: adaptive(100), attributes: { a: 1 } } } } })
      assert.approximately(decide("frequent"), settled, 0.02)
      // Twice the goal, at once, and not the probability of 1 with which one that knows nothing begins.
      yield* reload(adaptive(200))
      assert.approximately(decide("frequent"), 2 * settled, 0.06)
      // Other keys: nothing of it is of use.
      yield* reload(adaptive(200, "kind"))
      assert.isAbove(decide("frequent"), 0.5)
    }))

  it.effect("brings the policy of the tail, its version and a dry run of both", () =>
    Effect.gen(function*() {
      const tail = { rules: [{ id: "errors", when: { errorCount: { ge: 1 } } }], budget: { perSecond: 10 } }
      const ref = yield* SubscriptionRef.make<SamplingConfig>({ version: "1", head: "always_on" })
      const { sampler, sampling } = yield* built(Sampling.layerRef(ref))
      assert.deepStrictEqual(yield* SubscriptionRef.get(sampling.tail), { version: "1", rules: [] })
      yield* SubscriptionRef.set(ref, { version: "2", head: "always_on", tail, dryRun: true })
      yield* sampling.refresh
      assert.deepStrictEqual(yield* SubscriptionRef.get(sampling.tail), { ...tail, version: "2", dryRun: true })
      assert.strictEqual(sampler.description, "DryRun{AlwaysOn}")
    }))
})

describe("Sampling.layerFile", () => {
  const write = (path: string, config: unknown): void => writeFileSync(path, JSON.stringify(config))

  it.effect("follows a file that is written, renamed over, or behind a link that is swapped", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      const path = join(directory, "sampling.json")
      write(path, half)
      const { lines, sampler, sampling } = yield* built(Sampling.layerFile({ path }))
      assert.strictEqual(sampler.configVersion, "half")

      write(path, none)
      yield* settled(sampling.refresh)
      assert.strictEqual(sampler.configVersion, "none")

      write(`${path}.tmp`, all)
      renameSync(`${path}.tmp`, path)
      yield* settled(sampling.refresh)
      assert.strictEqual(sampler.configVersion, "all")

      // As Kubernetes does with a ConfigMap.
      mkdirSync(join(directory, "1"))
      write(join(directory, "1", "sampling.json"), half)
      unlinkSync(path)
      symlinkSync(join(directory, "1", "sampling.json"), path)
      yield* settled(sampling.refresh)
      assert.strictEqual(sampler.configVersion, "half")
      assert.deepStrictEqual(lines, [])
    }))

  it.effect("looks by itself, at each interval", () =>
    Effect.gen(function*() {
      const path = join(yield* temporary, "sampling.json")
      write(path, half)
      const { sampler, sampling } = yield* built(Sampling.layerFile({ path, interval: "1 minute" }))
      write(path, none)
      yield* TestClock.adjust("59 seconds")
      for (let i = 0; i < 10; i++) yield* Effect.promise(() => setImmediate())
      assert.strictEqual(sampler.configVersion, "half")
      yield* TestClock.adjust("1 second")
      yield* settled(sampling.changes.pipe(Stream.filter(({ version }) => version === "none"), Stream.runHead))
      assert.strictEqual(sampler.configVersion, "none")
    }))

  it.effect("a bad file leaves the last good one in force, and is told once, as is its end", () =>
    Effect.gen(function*() {
      const path = join(yield* temporary, "sampling.json")
      write(path, half)
      const { lines, sampler, sampling } = yield* built(Sampling.layerFile({ path }))
      writeFileSync(path, `{"head":`)
      yield* settled(sampling.refresh)
      yield* settled(sampling.refresh)
      assert.strictEqual(sampler.configVersion, "half")
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0], `sampling configuration of ${path}: it is no JSON`)
      assert.include(lines[0], "what was in force before stays")

      write(path, none)
      yield* settled(sampling.refresh)
      assert.strictEqual(sampler.configVersion, "none")
      assert.strictEqual(lines.length, 2)
      assert.include(lines[1], `sampling configuration of ${path}: is good again and in force`)
      yield* settled(sampling.refresh)
      assert.strictEqual(lines.length, 2)
    }))

  it.effect("a file that is gone is told, and its return", () =>
    Effect.gen(function*() {
      const path = join(yield* temporary, "sampling.json")
      write(path, half)
      const { lines, sampler, sampling } = yield* built(Sampling.layerFile({ path }))
      rmSync(path)
      yield* settled(sampling.refresh)
      assert.include(lines[0], "the file does not exist (ENOENT)")
      assert.strictEqual(sampler.configVersion, "half")
      write(path, half)
      yield* settled(sampling.refresh)
      assert.strictEqual(lines.length, 2)
    }))

  it.effect("a file that is being written is waited for", () =>
    Effect.gen(function*() {
      const path = join(yield* temporary, "sampling.json")
      write(path, half)
      const { lines, sampler, sampling } = yield* built(Sampling.layerFile({ path }))
      writeFileSync(path, "")
      const asking = yield* Effect.forkScoped(sampling.refresh)
      // Until it has read the empty file and waits.
      for (let i = 0; i < 100; i++) yield* Effect.promise(() => setImmediate())
      write(path, none)
      yield* settled(Fiber.join(asking))
      assert.strictEqual(sampler.configVersion, "none")
      assert.deepStrictEqual(lines, [])
    }))

  it.effect("without a good file at first it fails, or falls back loudly and recovers", () =>
    Effect.gen(function*() {
      const path = join(yield* temporary, "sampling.json")
      const error = yield* Effect.flip(settled(built(Sampling.layerFile({ path }))))
      assert.include(error.message, `${path}: the file does not exist`)

      const { lines, sampler, sampling } = yield* settled(built(Sampling.layerFile({ path, fallback: half })))
      assert.strictEqual(sampler.configVersion, "half")
      assert.include(lines[0], "the fallback is in force")
      write(path, none)
      yield* settled(sampling.refresh)
      assert.strictEqual(sampler.configVersion, "none")
      assert.include(lines[1], "is good again and in force")
    }))

  it.effect("reads no more than the bound", () =>
    Effect.gen(function*() {
      const path = join(yield* temporary, "sampling.json")
      writeFileSync(path, " ".repeat(1_048_577))
      const error = yield* Effect.flip(settled(built(Sampling.layerFile({ path }))))
      assert.include(error.message, "it has more than 1048576 bytes")
    }))

  it.effect("does not wait for a pipe, and takes no directory", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      const pipe = join(directory, "pipe")
      const isMade = spawnSync("mkfifo", [pipe]).status === 0
      const reasonOf = (path: string) =>
        Effect.map(Effect.flip(settled(built(Sampling.layerFile({ path })))), ({ reason }) => reason)
      assert.strictEqual(yield* reasonOf(directory), "the path is a directory")
      if (isMade) assert.strictEqual(yield* reasonOf(pipe), "it is no regular file")
    }))

  it.effect("a source that breaks is told of like any other trouble, and asked again", () =>
    Effect.gen(function*() {
      let isBroken = false
      const transport = Transport.of({
        send: () =>
          isBroken
            ? Effect.die(new RangeError("no such thing"))
            : Effect.succeed({ status: 200, headers: {}, body: new TextEncoder().encode(JSON.stringify(half)) })
      })
      const { lines, sampler, sampling } = yield* built(
        Sampling.layerUrl({ url: "https://config.example/" }),
        transport
      )
      isBroken = true
      yield* TestClock.adjust("40 seconds")
      assert.include(lines[0], "RangeError: no such thing; what was in force before stays")
      assert.strictEqual(sampler.configVersion, "half")
      isBroken = false
      yield* sampling.refresh
      assert.include(lines[1], "is good again")
    }))
})

describe("Sampling.layerUrl", () => {
  const url = "https://config.example/sampling?token=hidden"
  const ok = (config: unknown, etag?: string): Step => ({
    status: 200,
    body: new TextEncoder().encode(typeof config === "string" ? config : JSON.stringify(config)),
    ...etag === undefined ? {} : { headers: { etag } }
  })
  const started = (script: ReadonlyArray<Step>, options?: Partial<Sampling.UrlOptions>) => {
    const server = scripted(script)
    return Effect.map(
      built(Sampling.layerUrl({ url, ...options }), server.transport),
      (services) => ({ ...services, server })
    )
  }

  it.effect("asks at each interval for what is newer than it has", () =>
    Effect.gen(function*() {
      const { lines, sampler, server } = yield* started([ok(half, `"1"`), { status: 304 }, ok(none, `"2"`), {
        status: 304
      }])
      assert.strictEqual(sampler.configVersion, "half")
      assert.deepInclude(server.requests[0], { method: "GET", url })
      assert.isUndefined(server.requests[0]?.headers["if-none-match"])
      yield* TestClock.adjust("33 seconds")
      assert.strictEqual(server.requests[1]?.headers["if-none-match"], `"1"`)
      assert.strictEqual(sampler.configVersion, "half")
      yield* TestClock.adjust("33 seconds")
      assert.strictEqual(sampler.configVersion, "none")
      yield* TestClock.adjust("33 seconds")
      assert.strictEqual(server.requests[3]?.headers["if-none-match"], `"2"`)
      assert.strictEqual(sampler.configVersion, "none")
      assert.deepStrictEqual(lines, [])
    }))

  it.effect("keeps the last good one, whatever comes, and never shows the query", () =>
    Effect.gen(function*() {
      const { lines, sampler, sampling } = yield* started([
        ok(half),
        { status: 302, headers: { location: "https://elsewhere.example/" } },
        ok(`<html>`),
        new TransportError({ reason: "timeout", detail: "no answer in 5000 ms" }),
        ok(none)
      ])
      for (let i = 0; i < 3; i++) {
        yield* TestClock.adjust("61 seconds")
        yield* sampling.refresh
      }
      assert.strictEqual(sampler.configVersion, "none")
      assert.include(
        lines[0],
        "https://config.example/sampling: the server answered with status 302, redirects are not"
      )
      assert.isTrue(lines.some((line) => line.includes("is good again")))
      assert.isFalse(lines.join().includes("hidden"))
    }))

  it.effect("a bad answer that the server has nothing newer for stays bad", () =>
    Effect.gen(function*() {
      const { lines, sampling } = yield* started([ok(half, `"1"`), ok({ head: 1 }, `"2"`), { status: 304 }, {
        status: 304
      }])
      for (let i = 0; i < 3; i++) yield* sampling.refresh
      assert.deepStrictEqual(yield* sampling.current, half)
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0], "head is 1")
    }))

  it.effect("starts with the fallback where the server does not answer", () =>
    Effect.gen(function*() {
      const failure = new TransportError({ reason: "connect", detail: "ECONNREFUSED" })
      const { lines, sampler, sampling } = yield* started([failure, ok(none)])
      assert.strictEqual(sampler.description, "ParentBased{root:AlwaysOn}")
      assert.include(lines[0], "ECONNREFUSED; the fallback is in force")
      yield* sampling.refresh
      assert.strictEqual(sampler.configVersion, "none")
    }))

  it.effect("sends its headers, credentials to another machine over https only", () =>
    Effect.gen(function*() {
      const headers = { authorization: Redacted.make("Bearer s3cret-token") }
      const { server } = yield* started([ok(half)], { headers })
      assert.strictEqual(server.requests[0]?.headers["authorization"], "Bearer s3cret-token")
      const refused = (url: string) =>
        Effect.map(Effect.flip(built(Sampling.layerUrl({ url, headers }))), ({ reason }) => reason)
      assert.include(yield* refused("http://config.example/"), "in clear text")
      assert.include(yield* refused("https://me:pass@config.example/"), "belong into `headers`")
      assert.include(yield* refused("ftp://config.example/"), "neither http: nor https:")
      assert.include(yield* refused("config.json"), "no absolute URL")
      const local = yield* started([ok(half)], { headers, url: "http://localhost:1/" })
      assert.strictEqual(local.server.requests.length, 1)
    }))

  it.live("over real sockets: conditional, without redirects, and bounded", () =>
    Effect.gen(function*() {
      const json = (config: unknown, etag: string) => reply(200, { etag }, JSON.stringify(config))
      const target = yield* start()
      const server = yield* start([
        json(half, `"1"`),
        reply(304),
        reply(307, { location: target.url }),
        json({ ...all, version: "x".repeat(2_000) }, `"2"`),
        json(all, `"3"`)
      ])
      const { lines, sampling } = yield* built(Sampling.layerUrl({ url: server.url, maxBytes: 1_000 }))
      const versions: Array<string | undefined> = []
      for (let i = 0; i < 5; i++) {
        versions.push((yield* sampling.current).version)
        yield* sampling.refresh
      }
      assert.deepStrictEqual(versions, ["half", "half", "half", "half", "all"])
      assert.deepStrictEqual(
        server.received.slice(0, 5).map(({ headers, method }) => [method, headers["if-none-match"]]),
        [["GET", undefined], ["GET", `"1"`], ["GET", `"1"`], ["GET", `"1"`], ["GET", `"1"`]]
      )
      assert.strictEqual(target.received.length, 0)
      assert.include(lines[0], "status 307, redirects are not followed")
    }))
})
