/** What could not be delivered at once, by way of a real directory, before a destination that answers by rules. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { Transport, TransportError } from "../../src/delivery/Transport.ts"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import { decode } from "../../src/otlp/OtlpDecoder.ts"
import { Telemetry, TelemetryLayer, type TelemetryLayerOptions } from "../../src/Telemetry.ts"
import { collected } from "../delivery/support.ts"
import { spoolFiles, temporary } from "../integration/programs.ts"

/** `down`: no connection; `stuck`: nothing, and no interruption either. */
type Answer = number | "down" | "stuck"
/** What a destination answers to a request with these spans. */
type Rule = (names: ReadonlyArray<string>, request: number) => Answer

const setUp = Effect.fnUntraced(function*(rule: Rule, options?: TelemetryLayerOptions) {
  const directory = yield* temporary
  const requests: Array<{ readonly names: ReadonlyArray<string>; readonly answer: Answer }> = []
  let answers = rule
  const transport = Transport.of({
    send: ({ body, headers }) =>
      Effect.gen(function*() {
        const spans = yield* Effect.orDie(Effect.fromResult(decode(headers["content-type"]!, body)))
        const names = spans.map(({ name }) => name)
        const answer = answers(names, requests.length)
        requests.push({ names, answer })
        if (answer === "stuck") return yield* Effect.uninterruptible(Effect.never)
        if (answer === "down") return yield* new TransportError({ reason: "connect", detail: "ECONNREFUSED" })
        return { status: answer, headers: {}, body: new Uint8Array() }
      })
  })
  const { diagnostics, lines } = collected()
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  const layer = TelemetryLayer({
    env: {},
    detectors: ["none"],
    selfMetrics: false,
    shutdownTimeout: 0,
    ...options,
    spool: { ...options?.spool, directory, minFreeBytes: 0 }
  })
  const context = yield* Layer.buildWithScope(layer, scope).pipe(
    Effect.provideService(Transport, transport),
    Effect.provideService(Diagnostics, diagnostics)
  )
  const telemetry = yield* Effect.provideContext(Telemetry, context)
  /** Ends spans with these names as one batch, and lets the batch go its way. */
  const batch = (...names: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      for (const name of names) yield* Effect.withSpan(Effect.void, name)
      yield* Effect.forkChild(telemetry.flush())
      yield* TestClock.adjust(0)
    }).pipe(Effect.provideContext(context))
  const books = Effect.map(telemetry.ledger, ({ destinations: [account] }) => {
    const { dropped, exported, queued, rejected, spooled, unaccounted } = account!
    assert.strictEqual(unaccounted, 0)
    return { exported, spooled, queued, rejected, dropped }
  })
  const turn = (next: Rule): void => void (answers = next)
  /** Names that were accepted, in order. */
  const arrived = () => requests.flatMap(({ answer, names }) => answer === 200 ? names : [])
  return { batch, books, turn, requests, arrived, lines, directory, close: Scope.close(scope, Exit.void) }
})

const settled = { queued: 0, spooled: 0, dropped: {} }

describe("the way by the disk", () => {
  it.effect("is taken by the half of a batch that fails after 413, and by nothing else", () =>
    Effect.gen(function*() {
      const { arrived, batch, books, requests, turn } = yield* setUp((_, request) =>
        [413, 200, "down" as const][request]!
      )
      yield* batch("a", "b", "c", "d")
      assert.deepStrictEqual(yield* books, { exported: 2, spooled: 2, queued: 0, rejected: {}, dropped: {} })
      assert.deepStrictEqual(requests.map(({ names }) => names.join("")), ["abcd", "ab", "cd"])
      turn(() => 200)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* books, { ...settled, exported: 4, rejected: {} })
      assert.deepStrictEqual(arrived(), ["a", "b", "c", "d"])
    }))

  it.effect("is not taken by a half that is refused for good", () =>
    Effect.gen(function*() {
      const { batch, books } = yield* setUp((_, request) => [413, 400, 200][request]!)
      yield* batch("a", "b", "c", "d")
      assert.deepStrictEqual(yield* books, { ...settled, exported: 2, rejected: { permanent_status: 2 } })
    }))

  it.effect("is not taken by a span that no request has room for", () =>
    Effect.gen(function*() {
      const options = { otlp: { maxRequestBytes: 2_000 } }
      const { batch, books, turn } = yield* setUp(() => "down", options)
      yield* batch("a", "x".repeat(3_000))
      assert.deepStrictEqual(yield* books, {
        exported: 0,
        spooled: 1,
        queued: 0,
        rejected: {},
        dropped: { oversize: 1 }
      })
      turn(() => 200)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* books, { ...settled, exported: 1, rejected: {}, dropped: { oversize: 1 } })
    }))

  it.effect("is left by what was written in the order it was made, and the files with it", () =>
    Effect.gen(function*() {
      const { arrived, batch, books, directory, turn } = yield* setUp(() => "down")
      for (const name of "abcdef") yield* batch(name)
      assert.deepStrictEqual(yield* books, { exported: 0, spooled: 6, queued: 0, rejected: {}, dropped: {} })
      turn(() => 200)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(arrived(), [..."abcdef"])
      assert.deepStrictEqual(yield* books, { ...settled, exported: 6, rejected: {} })
      assert.deepStrictEqual(spoolFiles(directory), [])
    }))

  it.effect("harms no record because of another that is refused for good", () =>
    Effect.gen(function*() {
      const { arrived, batch, books, turn } = yield* setUp(() => "down")
      for (const name of ["a", "bad", "b", "c"]) yield* batch(name)
      turn((names) => names.includes("bad") ? 400 : 200)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(arrived().sort(), ["a", "b", "c"])
      assert.deepStrictEqual(yield* books, { ...settled, exported: 3, rejected: { permanent_status: 1 } })
    }))

  it.effect("harms no record because of another that a guard refuses as if the credentials were wrong", () =>
    Effect.gen(function*() {
      const { arrived, batch, books, turn } = yield* setUp(() => "down")
      for (const name of ["a", "bad", "b", "c"]) yield* batch(name)
      turn((names) => names.includes("bad") ? 403 : 200)
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(arrived().sort(), ["a", "b", "c"])
      assert.deepStrictEqual(yield* books, { ...settled, exported: 3, rejected: { permanent_status: 1 } })
    }))

  it.effect("keeps everything while everything is refused as if the credentials were wrong, and says so once", () =>
    Effect.gen(function*() {
      const { batch, books, lines, requests } = yield* setUp(() => 401)
      for (const name of "abc") yield* batch(name)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* books, { exported: 0, spooled: 3, queued: 0, rejected: {}, dropped: {} })
      assert.isBelow(requests.length, 100)
      assert.strictEqual(lines.filter((line) => line.includes("HTTP 401") && !line.includes(" debug: ")).length, 1)
    }))

  it.effect("loses no record that was refused just before the credentials were put right", () =>
    Effect.gen(function*() {
      const { arrived, batch, books, turn } = yield* setUp(() => 401)
      for (const name of "abc") yield* batch(name)
      yield* TestClock.adjust("1 hour")
      let isRight = false
      turn((names) => {
        isRight = isRight || names.includes("b")
        return isRight ? 200 : 401
      })
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(arrived().sort(), ["a", "b", "c"])
      assert.deepStrictEqual(yield* books, { ...settled, exported: 3, rejected: {} })
    }))

  it.effect("splits a record that is too large for the destination", () =>
    Effect.gen(function*() {
      const { arrived, batch, books, turn } = yield* setUp(() => "down")
      yield* batch("a", "b", "c", "d")
      turn((names) => names.length > 2 ? 413 : 200)
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(arrived(), ["a", "b", "c", "d"])
      assert.deepStrictEqual(yield* books, { ...settled, exported: 4, rejected: {} })
    }))

  it.effect("takes apart what was written whole and is more than a request may be", () =>
    Effect.gen(function*() {
      const options = { otlp: { maxRequestBytes: 2_000 }, spool: { directory: "", mode: "always" as const } }
      const { arrived, batch, books, requests } = yield* setUp(() => 200, options)
      const names = [..."abcdefgh"].map((letter) => letter.repeat(400))
      yield* batch(...names, "x".repeat(3_000))
      for (let i = 0; i < 20; i++) yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(arrived().toSorted(), names)
      assert.isAbove(requests.length, 1)
      assert.deepStrictEqual(yield* books, { ...settled, exported: 8, rejected: {}, dropped: { oversize: 1 } })
    }))

  it.effect("closes although a request does not let itself be interrupted", () =>
    Effect.gen(function*() {
      const { batch, books, close, turn } = yield* setUp(() => "down")
      yield* batch("a")
      turn(() => "stuck")
      yield* TestClock.adjust("1 minute")
      yield* close
      assert.deepStrictEqual(yield* books, { exported: 0, spooled: 1, queued: 0, rejected: {}, dropped: {} })
    }))
})
