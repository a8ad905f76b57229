/**
 * The fault matrix: batch processor, OTLP exporter and the Node transport against a real server that misbehaves once.
 * Whatever happens to the first batch, the second arrives and the books balance.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { start, type TestServer } from "../server.ts"
import { booksOf, pipeline } from "./pipeline.ts"
import { type Fault, faults } from "./table.ts"

const scenario = (fault: Fault, server: TestServer) =>
  Effect.gen(function*() {
    const { books, close, conserved, end, flush, lines } = yield* pipeline(server.url, fault.options)
    end(2, fault.nameLength)
    yield* flush
    end(2, fault.nameLength)
    yield* flush
    const { dropped = {}, exported, rejected = {} } = fault
    assert.deepStrictEqual(books(), booksOf({ exported, rejected, dropped }))
    assert.strictEqual(server.received.length, fault.received)
    if (fault.says === undefined) assert.deepStrictEqual(lines, [])
    else assert.include(lines[0], fault.says)
    conserved()
    yield* close
  })

describe("a server that misbehaves once", () => {
  for (const fault of faults) {
    it.live(fault.name, () => Effect.flatMap(start(fault.script), (server) => scenario(fault, server)))
  }
})
