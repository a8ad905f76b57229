import { assert, describe, it } from "@effect/vitest"
import { compile, isHostPattern } from "../../src/context/outbound.ts"

const allows = (...patterns: ReadonlyArray<string>) => compile({ trace: patterns, baggage: [] }).trace

describe("hosts that are sent a context", () => {
  it("all, none, and each list by itself", () => {
    const outbound = compile({ trace: ["all"], baggage: [] })
    assert.isTrue(outbound.trace("https://elsewhere.example/"))
    assert.isFalse(outbound.baggage("https://elsewhere.example/"))
    assert.isFalse(allows()("http://localhost/"))
    assert.isFalse(allows()("/relative"))
  })

  it.each([
    ["api.example.com", "https://api.example.com/x", true],
    ["api.example.com", "https://API.EXAMPLE.com:8443/", true],
    ["api.example.com", "https://api.example.com./", true],
    ["api.example.com", "https://example.com/", false],
    ["api.example.com", "https://api.example.com.evil.test/", false],
    ["api.example.com", "https://evil.test/?api.example.com", false],
    ["api.example.com", "https://api.example.com@evil.test/", false],
    ["*.example.com", "https://a.b.example.com/", true],
    ["*.example.com", "https://example.com/", false],
    ["*.example.com", "https://evilexample.com/", false],
    ["localhost:8080", "http://localhost:8080/", true],
    ["localhost:8080", "http://localhost:8081/", false],
    ["api.example.com:443", "https://api.example.com/", true],
    ["api.example.com:443", "http://api.example.com/", false],
    ["[::1]", "http://[::1]:8080/", true],
    ["[::1]:80", "http://[::1]/", true],
    ["[::1]:80", "http://[::1]:81/", false]
  ])("%s, %s: %s", (pattern, url, expected) => {
    assert.strictEqual(allows(pattern)(url), expected)
    assert.strictEqual(allows("other.example", pattern)(new URL(url)), expected)
  })

  it.each([
    "http://localhost:3000/",
    "http://app.localhost/",
    "http://127.0.0.1/",
    "http://127.1.2.3/",
    "http://2130706433/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://172.31.255.1/",
    "http://192.168.1.1/",
    "http://[::1]/",
    "http://[fd00::1]/",
    "http://[fe80::1]/",
    "http://orders/",
    "http://orders:8080/",
    "http://orders.shop.svc/",
    "http://orders.shop.svc.cluster.local/",
    "http://db.internal/",
    "/relative",
    "relative?a=http://x"
  ])("internal: %s", (url) => assert.isTrue(allows("internal")(url)))

  it.each([
    "http://example.com/",
    "http://8.8.8.8/",
    "http://172.15.0.1/",
    "http://172.32.0.1/",
    "http://192.169.1.1/",
    "http://169.254.169.254/",
    "http://10.evil.test/",
    "http://127.0.0.1.evil.test/",
    "http://localhost.evil.test/",
    "http://localhost@evil.test/",
    "http://notlocal.example/",
    "http://xlocal.test/",
    "http://[2001:db8::1]/",
    "http://[fdx::1]/".replace("fdx", "2fd0")
  ])("not internal: %s", (url) => assert.isFalse(allows("internal")(url)))

  it("patterns are read in linear time, and nothing but hosts is one", () => {
    for (const text of ["a", "a-b.c_d", "*.a.b", "a:1", "[::1]", "[fd00::1]:65535", "internal", "all"]) {
      assert.isTrue(isHostPattern(text), text)
    }
    for (
      const text of [
        "",
        ".",
        "a.",
        "*.",
        "*",
        "a.*.b",
        "a:b",
        "a:123456",
        "http://a",
        "a/b",
        "a b",
        "[::1",
        "é",
        "a".repeat(300)
      ]
    ) {
      assert.isFalse(isHostPattern(text), text)
    }
  })
})
