import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { Account } from "../../src/diagnostics/Ledger.ts"
import * as Filter from "../../src/processors/FilterSpanProcessor.ts"
import * as SpanProcessor from "../../src/processors/SpanProcessor.ts"
import { type Fields, readable } from "../exporters/spans.ts"

const passes = (options: Filter.Options, fields: Fields): boolean => {
  let emitted = 0
  let dropped = 0
  Filter.make(options).onEnd(readable(fields), {
    emit: () => emitted++,
    drop: (reason, count) => {
      assert.strictEqual(reason, "filtered")
      dropped += count
    },
    hold: () => assert.fail("held"),
    sampledOut: () => assert.fail("sampled out")
  })
  assert.strictEqual(emitted + dropped, 1, "every span is emitted or dropped, once")
  return emitted === 1
}

describe("FilterSpanProcessor", () => {
  it("lets everything through when nothing is asked", () => {
    assert.isTrue(passes({}, {}))
  })

  it("compares durations: at least, and less than", () => {
    const at = (end: number) => ({ start: 0, end })
    assert.isFalse(passes({ keep: { minDuration: "10 millis" } }, at(9.999999)))
    assert.isTrue(passes({ keep: { minDuration: "10 millis" } }, at(10)))
    assert.isTrue(passes({ keep: { maxDuration: Duration.millis(10) } }, at(9.999999)))
    assert.isFalse(passes({ keep: { maxDuration: 10 } }, at(10)))
    assert.isFalse(passes({ drop: { minDuration: Duration.nanos(1n) } }, at(0.000001)))
    assert.isTrue(passes({ drop: { minDuration: Duration.infinity } }, at(1e9)))
    assert.isTrue(passes({ keep: { maxDuration: Duration.infinity } }, at(1e9)))
  })

  it("compares status and kind, one or several", () => {
    assert.isTrue(passes({ keep: { status: "ERROR" } }, { status: "ERROR" }))
    assert.isFalse(passes({ keep: { status: "ERROR" } }, {}))
    assert.isTrue(passes({ keep: { status: ["OK", "UNSET"] } }, {}))
    assert.isTrue(passes({ keep: { kind: "SERVER" } }, { kind: "SERVER" }))
    assert.isFalse(passes({ keep: { kind: ["SERVER", "CONSUMER"] } }, { kind: "CLIENT" }))
  })

  it("compares names exactly, by prefix, suffix and glob, with case", () => {
    const name = (pattern: Filter.NamePattern, text: string) => passes({ keep: { name: pattern } }, { name: text })
    assert.isTrue(name("GET /a", "GET /a"))
    assert.isFalse(name("GET /a", "get /a"))
    assert.isFalse(name("GET *", "GET /a"), "a plain string is no glob")
    assert.isTrue(name({ prefix: "GET " }, "GET /a"))
    assert.isFalse(name({ prefix: "GET " }, "POST GET /a"))
    assert.isTrue(name({ suffix: "/healthz" }, "GET /healthz"))
    assert.isTrue(name({ glob: "GET /*/items/*" }, "GET /shop/items/1"))
    assert.isFalse(name({ glob: "GET /*/items/*" }, "GET /items/1"))
    assert.isTrue(name({ glob: "*" }, ""))
    assert.isTrue(name({ glob: "a*a" }, "aa"))
    assert.isFalse(name({ glob: "a*a" }, "a"))
    assert.isTrue(name({ glob: "a*b*c" }, "abbc"))
    assert.isFalse(name({ glob: "a*bc*c" }, "abc"))
    assert.isTrue(name({ glob: "*a*b*" }, "xaxbx"))
    assert.isFalse(name({ glob: "*b*a*" }, "xaxbx"))
    assert.isTrue(name({ glob: "exact" }, "exact"))
    assert.isTrue(name({ glob: "(a+)+.$" }, "(a+)+.$"))
    assert.isTrue(passes({ keep: { name: ["x", { prefix: "y" }] } }, { name: "yz" }))
  })

  it("asks for attributes by key", () => {
    const fields = { attributes: { a: 1, b: false } }
    assert.isTrue(passes({ keep: { hasAttribute: "b" } }, fields))
    assert.isTrue(passes({ keep: { hasAttribute: ["a", "b"] } }, fields))
    assert.isFalse(passes({ keep: { hasAttribute: ["a", "c"] } }, fields))
    assert.isFalse(passes({ keep: { hasAttribute: "false" } }, { attributes: { a: "false" } }), "a value is no key")
  })

  it("asks a predicate last, and only when the rest holds", () => {
    let asked = 0
    const keep: Filter.Condition = {
      status: "ERROR",
      predicate: (span) => {
        asked++
        return span.name === "yes"
      }
    }
    assert.isFalse(passes({ keep }, { name: "yes" }))
    assert.strictEqual(asked, 0)
    assert.isTrue(passes({ keep }, { name: "yes", status: "ERROR" }))
    assert.isFalse(passes({ keep }, { name: "no", status: "ERROR" }))
    assert.strictEqual(asked, 2)
  })

  it("wants all of one condition, any of several, and drops where both hold", () => {
    const options: Filter.Options = {
      keep: [{ minDuration: "50 millis", kind: "SERVER" }, { status: "ERROR" }],
      drop: [{ name: "GET /healthz" }, { hasAttribute: "noise" }]
    }
    assert.isTrue(passes(options, { end: 60, kind: "SERVER" }))
    assert.isFalse(passes(options, { end: 60, kind: "CLIENT" }))
    assert.isFalse(passes(options, { end: 40, kind: "SERVER" }))
    assert.isTrue(passes(options, { status: "ERROR" }))
    assert.isFalse(passes(options, { status: "ERROR", name: "GET /healthz" }))
    assert.isFalse(passes(options, { status: "ERROR", attributes: { noise: 1 } }))
  })

  it("keeps nothing by an empty list, and everything by an empty condition", () => {
    assert.isFalse(passes({ keep: [] }, {}))
    assert.isTrue(passes({ drop: [] }, {}))
    assert.isTrue(passes({ keep: {} }, {}))
    assert.isFalse(passes({ drop: {} }, {}))
  })

  it("books what it drops for the destinations behind it, and lets a span go on when the predicate throws", () => {
    const account = new Account("test")
    const seen: Array<string> = []
    const destination: SpanProcessor.SpanProcessorShape = {
      ...SpanProcessor.make({ name: "destination", onEnd: (span) => void seen.push(span.name) }),
      accounts: [account]
    }
    const filter = Filter.make({
      drop: {
        predicate: (span) => {
          if (span.name === "bad") throw new Error("no")
          return span.name === "drop"
        }
      }
    })
    const diagnostics = Diagnostics.make({ write: () => {} })
    const processor = SpanProcessor.compose([filter, destination], diagnostics)
    for (const name of ["keep", "drop", "bad"]) {
      processor.onEnd(readable({ name }), { emit() {}, drop() {}, hold() {}, sampledOut() {} })
    }
    assert.deepStrictEqual(seen, ["keep", "bad"])
    assert.deepStrictEqual(account.dropped, { filtered: 1 })
    assert.strictEqual(diagnostics.counts.get("processor.filter"), 1)
  })
})
