/** Batches by way of a disk that fails, to a destination that fails. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { Spool, type SpooledRecord, type SpoolQueue } from "../../src/delivery/Spool.ts"
import { Transport } from "../../src/delivery/Transport.ts"
import { TracesLedger } from "../../src/diagnostics/CurrentLedger.ts"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import { SignalLedger } from "../../src/diagnostics/Ledger.ts"
import * as OtlpSpanExporter from "../../src/exporters/OtlpSpanExporter.ts"
import { SpanExporter } from "../../src/exporters/SpanExporter.ts"
import * as BatchSpanProcessor from "../../src/processors/BatchSpanProcessor.ts"
import { collected, scripted, type Step } from "../delivery/support.ts"
import { readable } from "./spans.ts"

/** A spool in memory that can be told to take nothing. */
class FakeSpool {
  isBroken = false
  writes = 0
  syncs = 0
  level: "process" | "power" = "process"
  readonly refused: Array<number | "poison"> = []
  readonly records: Array<SpooledRecord> = []
  private readonly out = new Set<SpooledRecord>()

  readonly queue: SpoolQueue = {
    mode: "overflow",
    maxBytes: 64 * 1024 * 1024,
    writeOut: () => undefined,
    begin: () => {},
    clear: () => {},
    tidy: () => {},
    hurry: () => {},
    items: () => this.records.reduce((sum, { items }) => sum + items, 0),
    hasPending: () => this.records.some((record) => !this.out.has(record)),
    write: (payload, items) => {
      if (this.isBroken) return false
      this.writes++
      this.records.push({ payload, items, sequence: this.writes } as SpooledRecord)
      return true
    },
    take: () => {
      const record = this.records.find((record) => !this.out.has(record))
      if (record === undefined) return []
      this.out.add(record)
      return [record]
    },
    finish: (records) => {
      for (const record of records) this.records.splice(this.records.indexOf(record), 1)
    },
    release: (records) => {
      for (const record of records) this.out.delete(record)
    },
    sync: Effect.sync(() => {
      this.syncs++
      this.level = "power"
    }),
    survives: () => this.level,
    quarantine: (_, reason) => {
      this.refused.push(reason)
      return true
    },
    rejected: "/spool/rejected"
  }
}

const setUp = Effect.fnUntraced(function*(script: Iterable<Step>, isBroken: boolean) {
  const server = scripted(script)
  const { diagnostics, lines } = collected()
  const spool = new FakeSpool()
  spool.isBroken = isBroken
  const ledger = new SignalLedger()
  const exporter = yield* OtlpSpanExporter.make({ url: "http://localhost:4318/v1/traces", protocol: "http/json" }).pipe(
    Effect.provideService(Transport, server.transport),
    Effect.provideService(Diagnostics, diagnostics),
    Effect.provideService(Spool, Spool.of({ open: () => Effect.succeed(spool.queue) }))
  )
  const processor = yield* BatchSpanProcessor.make().pipe(
    Effect.provideService(SpanExporter, exporter),
    Effect.provideService(TracesLedger, ledger),
    Effect.provideService(Diagnostics, diagnostics)
  )
  const offer = (count: number): void => {
    for (let id = 1; id <= count; id++) {
      processor.onEnd(readable({ id }), { emit: () => {}, drop: () => {}, hold() {}, sampledOut() {} })
    }
  }
  const books = () => {
    const { dropped, exported, queued, rejected, spooled } = ledger.accounts[0]!
    return { exported, queued, spooled, dropped: { ...dropped }, rejected: { ...rejected } }
  }
  return { server, lines, spool, processor, offer, books }
})

const unavailable = (times: number): Array<Step> => Array.from({ length: times }, () => ({ status: 503 }))

describe("a batch that neither the destination nor the disk takes", () => {
  it.effect("stays in memory and is sent again, as without a disk", () =>
    Effect.gen(function*() {
      const { books, offer, processor, server } = yield* setUp(unavailable(4), true)
      offer(3)
      const flush = yield* Effect.forkChild(processor.flush)
      yield* TestClock.adjust(0)
      assert.isAbove(server.requests.length, 0)
      assert.deepStrictEqual(books(), { exported: 0, queued: 3, spooled: 0, dropped: {}, rejected: {} })
      yield* TestClock.adjust("2 minutes")
      yield* Fiber.join(flush)
      assert.strictEqual(server.requests.length, 5)
      assert.deepStrictEqual(books(), { exported: 3, queued: 0, spooled: 0, dropped: {}, rejected: {} })
    }))

  it.effect("is given up when it is too old, and counted", () =>
    Effect.gen(function*() {
      const { books, offer, processor } = yield* setUp(unavailable(10_000), true)
      offer(3)
      const flush = yield* Effect.forkChild(processor.flush)
      yield* TestClock.adjust("1 hour")
      yield* Fiber.join(flush)
      assert.deepStrictEqual(books(), {
        exported: 0,
        queued: 0,
        spooled: 0,
        dropped: { retry_exhausted: 3 },
        rejected: {}
      })
    }))

  it.effect("goes to the disk when that is there again before it is too old", () =>
    Effect.gen(function*() {
      const { books, offer, processor, spool } = yield* setUp(unavailable(10_000), true)
      offer(3)
      const flush = yield* Effect.forkChild(processor.flush)
      yield* TestClock.adjust("1 minute")
      spool.isBroken = false
      yield* TestClock.adjust("1 hour")
      yield* Fiber.interrupt(flush)
      assert.deepStrictEqual(books(), { exported: 0, queued: 0, spooled: 3, dropped: {}, rejected: {} })
      assert.strictEqual(spool.writes, 1)
    }))

  it.effect("is rejected where the destination wants other credentials", () =>
    Effect.gen(function*() {
      const { books, offer, processor } = yield* setUp([{ status: 401 }], true)
      offer(3)
      yield* processor.flush
      assert.deepStrictEqual(books(), {
        exported: 0,
        queued: 0,
        spooled: 0,
        dropped: {},
        rejected: { permanent_status: 3 }
      })
    }))
})

describe("a batch that the destination does not take", () => {
  it.effect("is written once, and sent from the disk", () =>
    Effect.gen(function*() {
      const { books, offer, processor, spool } = yield* setUp(unavailable(1), false)
      offer(3)
      yield* processor.flush
      assert.strictEqual(spool.writes, 1)
      assert.deepStrictEqual(books(), { exported: 0, queued: 0, spooled: 3, dropped: {}, rejected: {} })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(books(), { exported: 3, queued: 0, spooled: 0, dropped: {}, rejected: {} })
    }))

  it.effect("is written half by half where it was too large, and each half once", () =>
    Effect.gen(function*() {
      const { books, offer, processor, spool } = yield* setUp([{ status: 413 }, ...unavailable(1)], false)
      offer(4)
      yield* processor.flush
      assert.strictEqual(spool.writes, 2)
      assert.deepStrictEqual(books(), { exported: 0, queued: 0, spooled: 4, dropped: {}, rejected: {} })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(books(), { exported: 4, queued: 0, spooled: 0, dropped: {}, rejected: {} })
    }))

  it.effect("is on the medium when a flush is over that left it on the disk", () =>
    Effect.gen(function*() {
      const { offer, processor, spool } = yield* setUp(unavailable(1), false)
      offer(3)
      yield* processor.flush
      assert.strictEqual(spool.syncs, 1)
      yield* TestClock.adjust("1 minute")
      offer(1)
      yield* processor.flush
      assert.strictEqual(spool.syncs, 1, "nothing is left on the disk")
    }))

  it.effect("leaves a copy where it is refused for good, at once or from the disk", () =>
    Effect.gen(function*() {
      const { books, lines, offer, processor, spool } = yield* setUp(
        [{ status: 400 }, { status: 503 }, { status: 422 }],
        false
      )
      offer(2)
      yield* processor.flush
      offer(3)
      yield* processor.flush
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(spool.refused, [400, 422])
      assert.deepStrictEqual(books(), {
        exported: 0,
        queued: 0,
        spooled: 0,
        dropped: {},
        rejected: { permanent_status: 5 }
      })
      assert.strictEqual(lines.filter((line) => line.includes("/spool/rejected")).length, 1)
    }))
})
