/** Where nothing is sent, and where no credentials are sent in clear text, however the host is spelt. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import * as RequestHeaders from "../../src/delivery/RequestHeaders.ts"
import { makeTarget } from "../../src/delivery/target.ts"

const secret = "canary-key"
const headers = RequestHeaders.make(
  { "Authorization": `Bearer ${secret}`, "X-Api-Key": secret, "X-Team": "blue" },
  "otlp",
  Diagnostics.make({ level: "none" })
)
const target = (url: string, allowsClearText = false) => makeTarget(url, headers, allowsClearText)
const sent = (url: string, allowsClearText = false) =>
  Object.keys(target(url, allowsClearText).headers).filter((name) => name !== "user-agent").sort()

const all = ["authorization", "x-api-key", "x-team"]

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const Byte = between(0, 255)
type Bytes = readonly [number, number, number, number]

/** How a parser of URLs lets an IPv4 address be written: one to four numbers, the last for what is left of the bytes. */
const Spelling = Schema.Struct({
  parts: between(1, 4),
  bases: Schema.Tuple([between(0, 3), between(0, 3), between(0, 3), between(0, 3)]),
  dot: Schema.Boolean
})
const written: ReadonlyArray<(value: number) => string> = [
  String,
  (value) => `0x${value.toString(16)}`,
  (value) => `0X000${value.toString(16).toUpperCase()}`,
  (value) => `0${value.toString(8)}`
]
const spell = (bytes: Bytes, { bases, dot, parts }: typeof Spelling.Type): string => {
  const numbers = [...bytes.slice(0, parts - 1), bytes.slice(parts - 1).reduce((sum, byte) => sum * 256 + byte, 0)]
  return numbers.map((value, i) => written[bases[i]!]!(value)).join(".") + (dot ? "." : "")
}
const words = ([a, b, c, d]: Bytes): string => `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`

describe("a metadata service", () => {
  const addresses: ReadonlyArray<Bytes> = [
    [169, 254, 169, 254],
    [169, 254, 170, 2],
    [169, 254, 170, 23],
    [100, 100, 100, 200],
    [192, 0, 0, 192]
  ]
  const isRefused = (url: string): void => {
    const { address, headers, host, trouble, url: left } = target(url)
    assert.strictEqual(trouble, "the URL is that of a cloud's metadata service", url)
    assert.deepStrictEqual([address, headers, left], [{}, {}, ""])
    assert.notInclude(host, secret)
  }

  for (const address of addresses) {
    it.prop(
      `at ${address.join(".")} is sent nothing, however it is written`,
      [Spelling, Schema.Boolean],
      ([spelling, tls]) =>
        isRefused(`http${tls ? "s" : ""}://user:${secret}@${spell(address, spelling)}:4318/v1/traces`)
    )

    for (const prefix of ["::ffff:", "::FFFF:", "0:0:0:0:0:ffff:", "::", "::ffff:0:", "64:ff9b::"]) {
      it(`at ${address.join(".")} is sent nothing within IPv6, as [${prefix}...]`, () => {
        isRefused(`http://[${prefix}${address.join(".")}]/v1/traces`)
        isRefused(`http://[${prefix}${words(address)}]:80/`)
      })
    }
  }

  for (
    const host of [
      "metadata.google.internal",
      "metadata.google.internal.",
      "METADATA.Google.Internal",
      "metadata%2Egoogle.internal",
      "metadata。google。internal",
      "metadata.goog",
      "[fd00:ec2::254]",
      "[FD00:EC2:0:0:0:0:0:254]",
      "[fd00:0ec2::0.0.2.84]",
      "[fd00:ec2::23]",
      "[fd20:ce::254]",
      "%31%36%39.254.169.254",
      "①⑥⑨.254.169.254"
    ]
  ) it(`at ${host} is sent nothing`, () => isRefused(`http://${host}/`))

  for (
    const host of [
      "169.254.169.253",
      "metadata",
      "metadata.google.internal.example",
      "[fd00:ec2::255]",
      "[::ffff:1.2.3.4]"
    ]
  ) {
    it(`is not at ${host}`, () => assert.isUndefined(target(`https://${host}/`).trouble))
  }
})

describe("credentials", () => {
  it.prop(
    "are sent in clear text to 127.0.0.0/8 however it is written, and to no other address",
    [Schema.Tuple([Byte, Byte, Byte, Byte]), Spelling, Schema.Boolean],
    ([[a, b, c, d], spelling, isLoopback]) => {
      const host = spell([isLoopback ? 127 : a, b, c, d], spelling)
      if (target(`http://${host}/`).trouble !== undefined) return
      const isSent = isLoopback || a === 127
      assert.deepStrictEqual(sent(`http://${host}:4318/`), isSent ? all : ["x-team"])
      assert.deepStrictEqual(sent(`https://${host}:4318/`), all)
      assert.deepStrictEqual(sent(`http://${host}:4318/`, true), all)
    }
  )

  for (
    const host of [
      "localhost",
      "LocalHost",
      "localhost.",
      "agent.localhost",
      "[::1]",
      "[0:0:0:0:0:0:0:1]",
      "[::ffff:127.0.0.1]"
    ]
  ) it(`are sent in clear text to ${host}`, () => assert.deepStrictEqual(sent(`http://${host}:4318/`), all))

  for (
    const host of [
      "collector",
      "localhost.example",
      "notlocalhost",
      "127.0.0.1.example",
      "localhost@example",
      "example#.localhost",
      "[::2]",
      "[::ffff:8.7.0.1]",
      "[2001:db8::7f00:1]",
      "0.0.0.0"
    ]
  ) {
    it(`are not sent in clear text to ${host}, which is told by name`, () => {
      const { trouble, withheld } = target(`http://${host}/`)
      assert.isUndefined(trouble)
      assert.deepStrictEqual([...withheld].sort(), ["authorization", "x-api-key"])
      assert.deepStrictEqual(sent(`http://${host}/`), ["x-team"])
    })
  }

  it("in the URL become a header under the same rule, and leave the URL", () => {
    const none = RequestHeaders.make({}, "otlp", Diagnostics.make({ level: "none" }))
    const secure = makeTarget("https://us%C3%A9r:p%40ss@collector/v1", none, false)
    assert.strictEqual(secure.headers["authorization"], `Basic ${Buffer.from("usér:p@ss").toString("base64")}`)
    assert.strictEqual(secure.url, "https://collector/v1")
    const clear = makeTarget("http://user:pass@collector/v1", none, false)
    assert.deepStrictEqual([clear.withheld, "authorization" in clear.headers, clear.url], [
      ["authorization"],
      false,
      "http://collector/v1"
    ])
    const stated = target("https://user:pass@collector/v1")
    assert.strictEqual(stated.headers["authorization"], `Bearer ${secret}`)
  })
})

describe("a URL", () => {
  for (
    const url of [
      "",
      "collector:4318",
      "/v1/traces",
      "ftp://collector/",
      "http://",
      "http://[::1",
      "file:///etc/passwd"
    ]
  ) {
    it(`like ${JSON.stringify(url)} is nowhere`, () => {
      const { headers, trouble, url: left } = target(url)
      assert.strictEqual(trouble, "the URL is not an absolute http: or https: URL")
      assert.deepStrictEqual([headers, left], [{}, ""])
    })
  }

  it("tells the server for metrics, with the port that is meant", () => {
    assert.deepStrictEqual(target("https://[::1]/v1").address, { serverAddress: "::1", serverPort: 443 })
    assert.deepStrictEqual(target("http://collector/v1").address, { serverAddress: "collector", serverPort: 80 })
    assert.deepStrictEqual(target("http://collector:4318").address, { serverAddress: "collector", serverPort: 4318 })
  })
})
