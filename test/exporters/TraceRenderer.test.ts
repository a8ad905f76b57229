import { assert, describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { type RenderOptions, renderTrace } from "../../src/exporters/TraceRenderer.ts"
import { displayWidth } from "../../src/internal/terminalText.ts"
import * as SpanData from "../../src/model/SpanData.ts"
import { type Fields, readable } from "./spans.ts"

const span = (fields: Fields): SpanData.SpanData => SpanData.fromReadable(readable(fields))
const render = (fields: ReadonlyArray<Fields>, options?: RenderOptions): string =>
  renderTrace(fields.map(span), options)

const order: ReadonlyArray<Fields> = [
  {
    id: 1,
    name: "POST /orders",
    kind: "SERVER",
    end: 35.6,
    attributes: { "http.response.status_code": 201, "http.route": "/orders", "user.id": "u1" }
  },
  { id: 2, parent: 1, name: "auth.verify", start: 0.5, end: 1.7 },
  { id: 3, parent: 1, name: "db.query orders", start: 3, end: 21.7, attributes: { "db.system": "postgresql" } },
  {
    id: 4,
    parent: 3,
    name: "cache.get",
    start: 6,
    end: 17.3,
    status: "ERROR",
    message: "timeout\nafter 10 ms",
    events: [{ name: "exception", attributes: { "exception.type": "RedisError", "exception.message": "timeout" } }]
  },
  {
    id: 5,
    parent: 1,
    name: "queue.publish",
    start: 30,
    end: 34.1,
    service: "worker",
    links: [{ trace: 0x9ad3, span: 3 }]
  },
  ...[0, 1, 2, 3, 4, 5].map((i) => ({
    id: 10 + i,
    parent: 5,
    name: "item.write",
    start: 30 + i * 0.5,
    end: 30.4 + i * 0.5,
    service: "worker"
  }))
]

describe("renderTrace", () => {
  for (const width of [40, 80, 160]) {
    it(`draws a trace in ${width} columns`, () => expect(`\n${render(order, { width })}`).toMatchSnapshot())
  }
  it("draws in ASCII", () => expect(`\n${render(order, { width: 80, unicode: false })}`).toMatchSnapshot())
  it("draws in colour", () =>
    expect(JSON.stringify(render(order.slice(0, 4), { width: 60, color: true }))).toMatchSnapshot())

  it("draws bars from 60 columns on and attributes from 40 on", () => {
    assert.match(render(order, { width: 60 }), /█/)
    assert.notMatch(render(order, { width: 59 }), /█/)
    assert.include(render([order[0]!], { width: 40 }), "status_code=201")
    assert.notInclude(render([order[0]!], { width: 39 }), "status_code")
  })

  it("takes 0 and no width for 80, and no more than 160", () => {
    assert.strictEqual(render(order, { width: 0 }), render(order, { width: 80 }))
    assert.strictEqual(render(order), render(order, { width: 80 }))
    assert.strictEqual(render(order, { width: 5000 }), render(order, { width: 160 }))
  })

  it("says what failed by sign and once", () => {
    const failed = [
      { id: 1, name: "root", status: "ERROR", message: "boom" },
      { id: 2, parent: 1, name: "middle", status: "ERROR", message: "boom" },
      { id: 3, parent: 2, name: "origin", status: "ERROR", message: "boom" },
      { id: 4, parent: 1, name: "other", status: "ERROR", message: "bang" }
    ] as const
    assert.strictEqual(
      render(failed, { width: 59 }).replaceAll(/ +\n/g, "\n"),
      [
        "✗ root  api  1.00ms  4 spans  4 errors",
        "├─ ✗ middle                                          1.00ms",
        "│  └─ ✗ origin  boom                                 1.00ms",
        "└─ ✗ other  bang                                     1.00ms",
        ""
      ].join("\n")
    )
    assert.strictEqual(render([failed[0]], { width: 59 }), "✗ root  api  1.00ms  1 span  1 error\n   boom\n")
  })

  it("puts spans without their parent under a line that says so", () => {
    const text = render([
      { id: 1, name: "root", end: 5 },
      { id: 3, parent: 2, name: "orphan" },
      { id: 4, parent: 2, name: "sister" },
      { id: 5, parent: 3, name: "child" }
    ], { width: 59 })
    assert.deepStrictEqual(text.split("\n").map((line) => line.replace(/ +\S+s$/, "")), [
      "root  api  5.00ms  4",
      "└─ missing parent 0000000000000002",
      "   ├─ orphan  api",
      "   │  └─ child",
      "   └─ sister  api",
      ""
    ])
  })

  it("heads a trace with the id where there is not one root", () => {
    const lines = render([{ id: 3, parent: 2, name: "orphan" }], { width: 80 }).split("\n")
    assert.strictEqual(lines[0], "trace 00000000000000000000000000000001  1.00ms  1 span")
    assert.include(lines[1], "missing parent")
    const two = render([{ id: 1, name: "a" }, { id: 2, name: "b" }], { width: 80 }).split("\n")
    assert.match(two[0]!, /^trace 0+1 {2}1\.00ms {2}2 spans$/)
  })

  it("takes a span whose parent is in another process for the root", () => {
    const lines = render([{ id: 3, parent: 2, remote: true, name: "GET /" }, { id: 4, parent: 3, name: "work" }]).split(
      "\n"
    )
    assert.match(lines[0]!, /^GET \/ {2}api/)
    assert.match(lines[1]!, /^└─ work/)
  })

  it("leaves a span where its clock put it, and says that it starts before its parent", () => {
    const text = render([{ id: 1, name: "root", start: 0, end: 10 }, {
      id: 2,
      parent: 1,
      name: "early",
      start: -2,
      end: 3
    }])
    assert.match(text, /├?└?─ early {2}\(starts 2\.00ms before its parent\) +█+/)
    assert.include(text.split("\n")[0], "12.0ms")
  })

  it("counts five siblings of a name in one line, and shows the first failed one whole", () => {
    const many = Array.from({ length: 12 }, (_, i): Fields => ({
      id: 10 + i,
      parent: 1,
      name: "item",
      start: i,
      end: i + 1 + i / 10,
      ...(i >= 4 && i < 10 ? { status: "ERROR", message: "full" } as const : {})
    }))
    const lines = render([{ id: 1, name: "root", end: 20 }, ...many], { width: 59 }).split("\n")
    assert.deepStrictEqual(lines.slice(1, -1).map((line) => line.replaceAll(/ {3,}/g, "  ")), [
      "├─ item ×6  p50 1.20ms  max 2.10ms  Σ8.70ms",
      "├─ ✗ item  full  1.40ms",
      "└─ ✗ item ×5  p50 1.70ms  max 1.90ms  Σ8.50ms"
    ])
    assert.lengthOf(render([{ id: 1, name: "root" }, ...many.slice(0, 4)], { width: 59 }).split("\n"), 6)
  })

  it("stops after 200 lines and says how much is left", () => {
    const spans = [
      { id: 1, name: "root" },
      ...Array.from({ length: 300 }, (_, i): Fields => ({
        id: 2 + i,
        parent: 1,
        name: `n${i}`,
        ...(i >= 250 ? { status: "ERROR" } as const : {})
      }))
    ]
    const lines = render(spans).split("\n")
    assert.strictEqual(lines.length, 203)
    assert.strictEqual(lines[201], "… 100 more spans, 50 errors")
    assert.strictEqual(render(spans, { maxRows: 2, unicode: false }).split("\n")[3], "... 298 more spans, 50 errors")
  })

  it("prints a link to the trace beside the heading, or below it where there is no room", () => {
    const traceUrl = (id: string) => `http://localhost/${id.slice(-4)}`
    assert.match(render(order, { traceUrl }).split("\n")[0]!, /1 error +http:\/\/localhost\/0001$/)
    assert.strictEqual(displayWidth(render(order, { traceUrl }).split("\n")[0]!), 80)
    assert.strictEqual(render(order, { traceUrl, width: 45 }).split("\n")[1], "http://localhost/0001")
  })

  it("draws each trace of several, and a note", () => {
    const text = render([{ trace: 1, name: "a" }, { trace: 2, name: "b" }], { note: "incomplete" })
    assert.strictEqual(text, "a  api  1.00ms  1 span  (incomplete)\n\nb  api  1.00ms  1 span  (incomplete)\n")
    assert.strictEqual(renderTrace([]), "")
  })

  it("survives circles, twins, endless depth and a trace without duration", () => {
    const twin: Fields = { id: 1, parent: 2, name: "twin", start: 0, end: 0 }
    const circle = render([twin, twin, { id: 2, parent: 1, name: "other", start: 0, end: 0 }, {
      id: 3,
      parent: 3,
      name: "self"
    }])
    for (const name of ["twin", "other", "self"]) assert.include(circle, name)
    assert.strictEqual(circle.match(/twin/g)!.length, 2)
    const chain = Array.from(
      { length: 5000 },
      (_, i): Fields => ({ id: i + 1, name: "c", ...(i > 0 ? { parent: i } : {}) })
    )
    assert.include(render(chain), "… 4799 more spans")
  })

  it("lets nothing in a span control the terminal", () => {
    const evil = "\u001b]8;;http://x\u0007\u001b[2J\u202eabc\r\n"
    const text = render([
      { id: 1, name: evil, service: evil, attributes: { "http.route": evil }, status: "ERROR", message: evil },
      { id: 2, parent: 1, name: evil, status: "ERROR", message: `x${evil}`, service: `y${evil}` }
    ], { width: 160, note: evil, traceUrl: () => evil })
    // oxlint-disable-next-line no-control-regex
    assert.notMatch(text.replaceAll("\n", ""), /[\u0000-\u001f\u007f-\u009f\u202e]/)
    assert.include(text, "\\x1b]8;;")
  })

  it.prop("keeps every line within the width, every span shown or counted", {
    spans: Schema.Array(Schema.Struct({
      parent: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 12 })),
      name: Schema.String,
      start: Schema.Int.check(Schema.isBetween({ minimum: -5, maximum: 20 })),
      failed: Schema.Boolean,
      remote: Schema.Boolean
    })),
    width: Schema.Int.check(Schema.isBetween({ minimum: 16, maximum: 170 })),
    unicode: Schema.Boolean
  }, ({ spans, unicode, width }) => {
    const fields = spans.map((one, i): Fields => ({
      id: i + 1,
      ...(one.parent === 0 ? {} : { parent: one.parent }),
      remote: one.remote,
      name: one.name,
      start: one.start,
      end: one.start + 3,
      ...(one.failed ? { status: "ERROR", message: one.name } as const : {})
    }))
    const text = render(fields, { width, unicode })
    for (const line of text.split("\n")) assert.isAtMost(displayWidth(line), Math.min(width, 160), JSON.stringify(line))
    if (!unicode) assert.match(text, /^[\x20-\x7e\n]*$/)
    const total = Number(/(\d+) spans?/.exec(text)?.[1] ?? 0)
    if (width >= 40) assert.strictEqual(total, fields.length)
  })
})
