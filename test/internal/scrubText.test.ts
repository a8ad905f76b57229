import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { hasMarker, scrubText } from "../../src/internal/scrubText.ts"

const rules = {
  mask: "REDACTED",
  isSecret: () => true,
  isSecretParameter: () => true,
  urls: true,
  wellKnown: true
}

// Pieces of which texts are made that announce a secret, or nearly.
const pieces = [
  ...":=-ABbegrsxk_ \ty0é😀",
  "Bearer ",
  "BASIC\t",
  "basi",
  "eyJ",
  "AKIA",
  "ASIA",
  "AIza",
  "ghp_",
  "gho",
  "github_pat_",
  "glpat-",
  "sk-",
  "rk_",
  "xox",
  "-----BEGIN ",
  "-----BEGIN PRIVATE KEY-----",
  "task 12",
  "0123456789abcdefABCDEF"
]

const Text = Schema.Array(Schema.Literals(pieces))

describe("whether a text has anything that announces a secret", () => {
  it.prop("what has not is not changed", [Text], ([parts]) => {
    const text = parts.join("")
    if (!hasMarker(text)) assert.strictEqual(scrubText(text, rules), text)
  }, { arbitrary: { runs: 2_000, size: 8 } })

  it.prop("a short text is judged as a long one", [Text], ([parts]) => {
    const text = parts.join("")
    // Behind 64 signs of nothing a text is searched by the expression alone.
    assert.strictEqual(hasMarker(text), text.length >= 3 && hasMarker(" ".repeat(64) + text))
  }, { arbitrary: { runs: 2_000, size: 8 } })

  it("names each sign", () => {
    for (const text of ["a:b", "a=b", "x Bearer y", "Basic z", "eyJ0", "AKIA1", "ASIA1", "AIza1", "ghp_1", "glpat-1"]) {
      assert.isTrue(hasMarker(text), text)
    }
    for (const text of ["/orders/1000001", "user-1a2b", "GET", "task", "skip it", "book", "a-b"]) {
      assert.isFalse(hasMarker(text), text)
    }
  })
})
