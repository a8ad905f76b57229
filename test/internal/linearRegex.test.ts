import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { compile } from "../../src/internal/linearRegex.ts"

const matches = (pattern: string, text: string): boolean => {
  const result = compile(pattern)
  if (Result.isFailure(result)) assert.fail(`${pattern}: ${result.failure}`)
  return result.success(text)
}

const refusal = (pattern: string): string => {
  const result = compile(pattern)
  return Result.isFailure(result) ? result.failure : "taken"
}

const pieces = Schema.Literals([
  ..."ab01-_.^$|()*+?",
  "[ab]",
  "[^a]",
  "[a-c0]",
  "[\\d-]",
  "[]",
  "[^]",
  "\\d",
  "\\D",
  "\\w",
  "\\W",
  "\\s",
  "\\S",
  "\\.",
  "\\n",
  "\\x61",
  "\\u00e9",
  "(?:",
  "{2}",
  "{1,}",
  "{0,3}",
  "*?",
  "é"
])
const pattern = Arbitrary.map(Arbitrary.array(Arbitrary.schema(pieces), { maxLength: 10 }), (parts) => parts.join(""))
const text = Arbitrary.map(
  Arbitrary.array(Arbitrary.schema(Schema.Literals([..."aab01-_. \n\u2028é", "ab"])), { maxLength: 12 }),
  (parts) => parts.join("")
)
const texts = Arbitrary.array(text, { maxLength: 8 })

describe("linearRegex", () => {
  it.prop("finds what the engine's own finds, wherever it takes the pattern", [pattern, texts], ([pattern, texts]) => {
    const result = compile(pattern)
    if (Result.isFailure(result)) return
    const own = new RegExp(pattern)
    // More than one text, since what was learned of one is used for the next.
    for (const text of ["", ...texts]) {
      assert.strictEqual(result.success(text), own.test(text), `${pattern} in ${JSON.stringify(text)}`)
    }
  })

  it("takes what people write", () => {
    const cases: ReadonlyArray<readonly [pattern: string, yes: string, no: string]> = [
      ["^/api/v[0-9]+/", "/api/v12/x", "/api/vx/"],
      ["^GET /(?:health|ready)z$", "GET /readyz", "GET /readyz/1"],
      ["(foo|bar){2}", "xfoobarx", "xfooxbar"],
      ["\\.(png|jpe?g)$", "a.jpg", "a.jpgx"],
      ["^[^/]*$", "", "a/b"],
      ["^(a|b|)+$", "abba", "abc"],
      ["", "anything", undefined as never]
    ]
    for (const [pattern, yes, no] of cases) {
      assert.isTrue(matches(pattern, yes), pattern)
      if (no !== undefined) assert.isFalse(matches(pattern, no), pattern)
    }
  })

  it("says what it does not understand", () => {
    const cases: ReadonlyArray<readonly [pattern: string, reason: string]> = [
      ["(", "a ( without its )"],
      ["a)", "a ) without its ("],
      ["[a", "a [ without its ]"],
      ["*a", "a * that is not escaped"],
      ["a**", "a quantifier of a quantifier"],
      ["a{3,1}", "a quantifier whose bounds are out of order"],
      ["^*", "a quantifier of nothing"],
      ["(?=a)", "a group that is no plain one"],
      ["(?<name>a)", "a group that is no plain one"],
      ["(a)\\1", "\\1"],
      ["\\bword", "\\b"],
      ["\\p{L}", "\\p"],
      ["[z-a]", "a range out of order"],
      ["\\u00", "a \\u without its digits"],
      ["a\\", "a \\ at the end"],
      ["(((a{99}){99}){99})", "too many repetitions"],
      ["a{9999}", "too many repetitions"],
      ["(".repeat(100), "groups nested more than 50 deep"]
    ]
    for (const [pattern, reason] of cases) assert.strictEqual(refusal(pattern), reason, pattern)
  })

  // Each of these takes the engine's own time that is exponential, or a high power, in the length.
  it("is done with patterns and texts that are made to take for ever", () => {
    const long = "a".repeat(1_024)
    for (const pattern of ["^(a+)+$", "^(a|a)*$", "^(a*)*b", "a*a*a*a*a*a*a*a*b", "^(([a-z])+.)+[A-Z]([a-z])+$"]) {
      assert.isFalse(matches(pattern, `${long}!`), pattern)
    }
    const many = Array.from({ length: 12 }, (_, i) => `.{${i}}a.*`).join("|")
    assert.isFalse(matches(`(${many})b$`, long))
  })
})
