import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import {
  displayWidth,
  escapeText,
  fit,
  formatNanos,
  paint,
  type Segments,
  truncate
} from "../../src/internal/terminalText.ts"

describe("terminalText", () => {
  it("measures columns", () => {
    const widths: ReadonlyArray<readonly [string, number]> = [
      ["", 0],
      ["plain", 5],
      ["naïve", 5],
      ["e\u0301", 1],
      ["лост", 4],
      ["你好", 4],
      ["ｆｕｌｌ", 8],
      ["한국어", 6],
      ["カタ", 4],
      ["👍", 2],
      ["👨‍👩‍👧‍👦", 2],
      ["🇫🇮", 2],
      ["❤️", 2],
      ["✗ …", 3],
      ["█▏", 2]
    ]
    for (const [text, width] of widths) assert.strictEqual(displayWidth(text), width, text)
  })

  it("cuts between letters and never beyond the width", () => {
    assert.strictEqual(truncate("hello", 5, "…"), "hello")
    assert.strictEqual(truncate("hello!", 5, "…"), "hell…")
    assert.strictEqual(truncate("你好吗", 5, "…"), "你好…")
    assert.strictEqual(truncate("你好吗", 4, "…"), "你…")
    assert.strictEqual(truncate("hello", 3, "..."), "...")
    assert.strictEqual(truncate("hello", 1, "..."), ".")
    assert.strictEqual(truncate("hello", 0, "…"), "")
  })

  it("escapes what could control a terminal", () => {
    assert.strictEqual(escapeText("a\u001b[31mb\u0007\n\t\r\u009b\u007f", true), "a\\x1b[31mb\\x07\\n\\t\\r\\x9b\\x7f")
    assert.strictEqual(
      escapeText("\u202eevil\u2066\u200b\ufeff\u2028", true),
      "\\u202eevil\\u2066\\u200b\\ufeff\\u2028"
    )
    assert.strictEqual(escapeText("\ud800x\udc00 😀", true), "\\ud800x\\udc00 😀")
    assert.strictEqual(escapeText("héé 你 …", false), "h?? ? ...")
    assert.strictEqual(escapeText("x".repeat(100_000), true).length, 513)
  })

  it("prints three digits and a unit", () => {
    const cases: ReadonlyArray<readonly [bigint, string]> = [
      [0n, "0µs"],
      [1n, "0.001µs"],
      [420n, "0.420µs"],
      [999n, "0.999µs"],
      [1_000n, "1.00µs"],
      [9_996n, "10.0µs"],
      [99_960n, "100µs"],
      [412_000n, "412µs"],
      [999_499n, "999µs"],
      [999_500n, "1.00ms"],
      [35_600_000n, "35.6ms"],
      [999_499_999n, "999ms"],
      [999_500_000n, "1.00s"],
      [61_250_000_000n, "61.3s"],
      [3_600_000_000_000n, "3600s"],
      [-1_500_000n, "-1.50ms"]
    ]
    for (const [nanos, text] of cases) assert.strictEqual(formatNanos(nanos, true), text)
    assert.strictEqual(formatNanos(1_000n, false), "1.00us")
  })

  it.prop("fits any text in exactly the width, and lets no control through", {
    texts: Schema.Array(Schema.String),
    width: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 })),
    unicode: Schema.Boolean
  }, ({ texts, unicode, width }) => {
    const segments: Segments = texts.map((text) => [escapeText(text, unicode), "plain"])
    const line = paint(fit(segments, width, unicode ? "…" : "..."), false)
    assert.strictEqual(displayWidth(line), width, JSON.stringify(line))
    // oxlint-disable-next-line no-control-regex
    assert.notMatch(line, /[\u0000-\u001f\u007f-\u009f]/)
    if (!unicode) assert.match(line, /^[\x20-\x7e]*$/)
  })

  it("says where it cut, also at the seam of two stretches", () => {
    assert.strictEqual(paint(fit([["abc", "plain"], ["def", "plain"]], 3, "…"), false), "ab…")
    assert.strictEqual(paint(fit([["abc", "plain"]], 3, "…"), false), "abc")
    assert.strictEqual(paint(fit([["abc", "red"]], 5, "…"), true), "\u001b[31mabc\u001b[0m  ")
  })
})
