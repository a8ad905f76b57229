import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { toRecord } from "../../src/model/Attributes.ts"
import type { ReadableSpan } from "../../src/model/ReadableSpan.ts"
import * as Redact from "../../src/processors/RedactSpanProcessor.ts"
import { type Fields, readable } from "../exporters/spans.ts"

const silent = (lines: Array<string> = []) => Diagnostics.make({ write: (line) => lines.push(line) })

const run = (fields: Fields, options?: Redact.Options, diagnostics = silent()): ReadableSpan => {
  const span = readable(fields)
  const out: Array<ReadableSpan> = []
  Redact.makeUnsafe(diagnostics, options).onEnd(span, {
    emit: (emitted) => out.push(emitted),
    drop: () => assert.fail("a span was dropped"),
    hold: () => assert.fail("a span was held"),
    sampledOut: () => assert.fail("a span was sampled out")
  })
  assert.deepStrictEqual(out, [span])
  return span
}

const attributes = (record: Record<string, unknown>, options?: Redact.Options) => ({
  ...toRecord(run({ attributes: record }, options).attributeList)
})

const text = (value: string, options?: Redact.Options): unknown => attributes({ note: value }, options)["note"]

describe("RedactSpanProcessor", () => {
  describe("keys", () => {
    const secret = [
      "authorization",
      "Authorization",
      "http.request.header.authorization",
      "http.request.header.proxy-authorization",
      "http.request.header.proxy_authorization",
      "http.request.header.cookie",
      "http.response.header.set-cookie",
      "http.request.header.x-api-key",
      "http.request.header.x-csrf-token",
      "http.request.header.x-auth",
      "api_key",
      "apiKey",
      "APIKey",
      "apikey",
      "stripe.api.key",
      "password",
      "user.password",
      "userPassword",
      "USER_PASSWORD",
      "passwd",
      "pwd",
      "db.passphrase",
      "secret",
      "client_secret",
      "clientSecret",
      "secret.value",
      "token",
      "accessToken",
      "access_token",
      "auth/token",
      "id-token",
      "token_id",
      "private_key",
      "privateKeyPem",
      "credential",
      "credentials",
      "aws.credentials",
      "session",
      "session_id",
      "sessionId",
      "PHPSESSID",
      "connect.sid",
      "db.connection_string",
      "jwt",
      "AWS_SECRET_ACCESS_KEY",
      "AZURE_STORAGE_ACCOUNT_KEY"
    ]
    for (const key of secret) {
      it(`hides ${key}`, () => {
        assert.strictEqual(attributes({ [key]: "hunter2" })[key], "REDACTED")
      })
    }

    const harmless = [
      "token.count",
      "token_count",
      "tokenCount",
      "llm.usage.total_tokens",
      "llm.token_count.prompt",
      "gen_ai.usage.input_tokens",
      "gen_ai.token.type",
      "max_token",
      "total_token",
      "tokenizer",
      "token.expires_at",
      "cookie.domain",
      "cookiecutter.template",
      "password.length",
      "passwordless",
      "password_policy",
      "secretary",
      "secret.name",
      "k8s.secret.name",
      "aws.secretsmanager.secret.arn",
      "session.id",
      "browser.session.id",
      "session.previous_id",
      "session.duration",
      "session_count",
      "obsession",
      "author",
      "authorized",
      "authorizations.count",
      "auth.method",
      "credential.provider",
      "keyboard",
      "api.version",
      "api.keyboard",
      "messaging.message.id",
      "db.query.text",
      "url.path",
      "http.route",
      "code.function.name",
      "spawned",
      "compass.word"
    ]
    for (const key of harmless) {
      it(`keeps ${key}`, () => {
        assert.strictEqual(attributes({ [key]: "value" })[key], "value")
      })
    }

    it("keeps the shape of a list, and what cannot be a secret", () => {
      assert.deepStrictEqual(attributes({ cookies: ["a=1", "b=2"], password: true, token: null, secrets: [] }), {
        cookies: ["REDACTED"],
        password: true,
        token: null,
        secrets: []
      })
      assert.deepStrictEqual(attributes({ password: 1234, secret: new Uint8Array([1]), credentials: { user: "u" } }), {
        password: "REDACTED",
        secret: "REDACTED",
        credentials: "REDACTED"
      })
    })

    it("looks into maps and lists without touching what was given", () => {
      const given = { request: { headers: [{ authorization: "Bearer a", accept: "*/*" }], "token.count": 3 } }
      const span = readable()
      span.attributeList.push("input", given)
      Redact.makeUnsafe(silent()).onEnd(span, { emit() {}, drop() {}, hold() {}, sampledOut() {} })
      assert.deepEqual(JSON.parse(JSON.stringify(toRecord(span.attributeList))), {
        input: { request: { headers: [{ authorization: "REDACTED", accept: "*/*" }], "token.count": 3 } }
      })
      assert.strictEqual(given.request.headers[0]!.authorization, "Bearer a")
    })

    it("keeps the very object where nothing is secret", () => {
      const given = { a: [{ b: 1 }] }
      const span = readable()
      span.attributeList.push("input", given)
      Redact.makeUnsafe(silent()).onEnd(span, { emit() {}, drop() {}, hold() {}, sampledOut() {} })
      assert.strictEqual(span.attributeList[1], given)
    })

    it("takes further keys in every form, whatever the case", () => {
      const options: Redact.Options = {
        keys: ["customer.ssn", { prefix: "Pii." }, { suffix: ".iban" }, { glob: "card.*.number" }]
      }
      assert.deepStrictEqual(
        attributes({
          "Customer.SSN": "1",
          "pii.name": "2",
          "payer.IBAN": "3",
          "card.0.number": "4",
          "card.number": "5",
          "customer.ssn.last": "6"
        }, options),
        {
          "Customer.SSN": "REDACTED",
          "pii.name": "REDACTED",
          "payer.IBAN": "REDACTED",
          "card.0.number": "REDACTED",
          "card.number": "5",
          "customer.ssn.last": "6"
        }
      )
    })

    it("lets a key through that is allowed, and still searches its text", () => {
      assert.deepStrictEqual(
        attributes({ "ui.session": "checkout", "csrf.token": "password=x1" }, {
          allowedKeys: ["ui.session", "csrf.*"]
        }),
        { "ui.session": "checkout", "csrf.token": "REDACTED" }
      )
      assert.deepStrictEqual(
        attributes({ "csrf.token": "see password=x1" }, { allowedKeys: [{ glob: "csrf.*" }] }),
        { "csrf.token": "see password=REDACTED" }
      )
    })

    it("hides nothing well known where told so, and then only what is named", () => {
      const options: Redact.Options = { wellKnown: false, urls: false, keys: ["mine"] }
      assert.deepStrictEqual(
        attributes({ password: "a", mine: "b", note: "password=c mine=d https://u:p@h/" }, options),
        {
          password: "a",
          mine: "REDACTED",
          note: "password=c mine=REDACTED https://u:p@h/"
        }
      )
    })

    it("remembers no more keys than it may", () => {
      const processor = Redact.makeUnsafe(silent())
      const span = readable()
      for (let i = 0; i < 5000; i++) span.attributeList.push(`key.${i}`, "v", `token.${i}`, "v")
      processor.onEnd(span, { emit() {}, drop() {}, hold() {}, sampledOut() {} })
      const record = toRecord(span.attributeList)
      for (let i = 0; i < 5000; i++) {
        assert.strictEqual(record[`key.${i}`], "v")
        assert.strictEqual(record[`token.${i}`], "REDACTED")
      }
    })
  })

  describe("URLs", () => {
    const cases: ReadonlyArray<readonly [string, string]> = [
      ["https://alice:secret@example.com/a", "https://REDACTED:REDACTED@example.com/a"],
      ["https://alice@example.com/a", "https://REDACTED@example.com/a"],
      ["https://:pw@example.com", "https://REDACTED:REDACTED@example.com"],
      ["postgres://u:p@ss@db:5432/x", "postgres://REDACTED:REDACTED@db:5432/x"],
      ["postgres://u:p/w?d#x@db:5432/x", "postgres://REDACTED:REDACTED@db:5432/x"],
      ["mongodb+srv://u:p@h1:1,h2:2/db", "mongodb+srv://REDACTED:REDACTED@h1:1,h2:2/db"],
      ["redis://:p4ss@cache:6379", "redis://REDACTED:REDACTED@cache:6379"],
      ["https://example.com:8443/@alice?email=a@b.c", "https://example.com:8443/@alice?email=a@b.c"],
      ["https://[::1]:8080/a@b", "https://[::1]:8080/a@b"],
      ["http://token:8080/session", "http://token:8080/session"],
      [
        "fetch https://a:b@c/ and http://d:e@f/ failed",
        "fetch https://REDACTED:REDACTED@c/ and http://REDACTED:REDACTED@f/ failed"
      ],
      ["https://h/p?q=1&sig=abc%3D&z=2#f", "https://h/p?q=1&sig=REDACTED&z=2#f"],
      ["https://h/p?AWSAccessKeyId=AK&Signature=S+1", "https://h/p?AWSAccessKeyId=REDACTED&Signature=REDACTED"],
      ["https://h/p?X-Goog-Signature=0aF", "https://h/p?X-Goog-Signature=REDACTED"],
      ["https://h/p?X-Amz-Signature=0a&X-Amz-Date=2", "https://h/p?X-Amz-Signature=REDACTED&X-Amz-Date=2"],
      [
        "https://h/cb?code=1&access_token=abc#id_token=eyJ",
        "https://h/cb?code=1&access_token=REDACTED#id_token=REDACTED"
      ],
      ["/path?password=p;w,x&y=1", "/path?password=REDACTED&y=1"],
      ["/path?api%5Fkey=abc", "/path?api%5Fkey=REDACTED"],
      ["/path?%zz=abc", "/path?%zz=abc"],
      ["/path?SIG=abc", "/path?SIG=abc"],
      ["/path?sig=", "/path?sig="]
    ]
    for (const [given, expected] of cases) {
      it(`${given} becomes ${expected}`, () => assert.strictEqual(text(given), expected))
    }

    it("knows the query of a URL by its key", () => {
      assert.deepStrictEqual(attributes({ "url.query": "sig=a&q=1", other: "sig=a&q=1" }), {
        "url.query": "sig=REDACTED&q=1",
        other: "sig=a&q=1"
      })
    })

    it("hides every query value where told so", () => {
      const options: Redact.Options = { queryParameters: "all" }
      assert.strictEqual(text("https://h/p?a=1&b=&c=3#d=4", options), "https://h/p?a=REDACTED&b=&c=REDACTED#d=4")
      assert.deepStrictEqual(attributes({ "url.query": "a=1" }, options), { "url.query": "a=REDACTED" })
      assert.strictEqual(text("a=1", options), "a=1")
    })

    it("takes a list of parameters in place of its own", () => {
      const options: Redact.Options = { queryParameters: ["email"] }
      assert.strictEqual(text("/p?email=a@b&sig=x&token=t", options), "/p?email=REDACTED&sig=x&token=REDACTED")
    })

    it("leaves URLs alone where told so", () => {
      assert.strictEqual(text("https://a:b@c/?sig=1", { urls: false }), "https://a:b@c/?sig=1")
    })
  })

  describe("text", () => {
    const cases: ReadonlyArray<readonly [string, string]> = [
      ["login failed: password=hunter2, user=bob", "login failed: password=REDACTED, user=bob"],
      ["password = 'x y z' and id = 1", "password = 'REDACTED' and id = 1"],
      ["Server=db;Password=a b;Database=x", "Server=db;Password=REDACTED b;Database=x"],
      ["password: hunter", "password: REDACTED"],
      ["--client-secret=abc --verbose", "--client-secret=REDACTED --verbose"],
      ["{\"user\":\"bob\",\"apiKey\": \"k\\\"ey\",\"n\":1}", "{\"user\":\"bob\",\"apiKey\": \"REDACTED\",\"n\":1}"],
      ["{\"credentials\":{\"a\":[\"}\"]},\"n\":1}", "{\"credentials\":REDACTED,\"n\":1}"],
      ["{\\\"token\\\":\\\"abc\\\",\\\"n\\\":1}", "{\\\"token\\\":\\\"REDACTED\\\",\\\"n\\\":1}"],
      ["{'secret': 'unclosed", "{'secret': 'REDACTED"],
      ["Authorization: Bearer abc.def", "Authorization: REDACTED"],
      ["GET /\r\nCookie: a=b; c=d\r\nHost: x", "GET /\r\nCookie: REDACTED\r\nHost: x"],
      ["token=Bearer abc rest", "token=REDACTED rest"],
      ["sent Bearer dGhpc2lzYXRva2Vu to x", "sent Bearer REDACTED to x"],
      ["sent Basic dXNlcjpwYXNz", "sent Basic REDACTED"],
      ["token: 9f8a7b6c5d", "token: REDACTED"],
      ["key AKIAIOSFODNN7EXAMPLE used", "key REDACTED used"],
      ["ghp_abcdefghijklmnop0123456789", "REDACTED"],
      ["jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln!", "jwt REDACTED!"],
      ["a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b", "a REDACTED b"],
      ["-----BEGIN PRIVATE KEY-----\nMII", "REDACTED"]
    ]
    for (const [given, expected] of cases) {
      it(`${JSON.stringify(given)} becomes ${JSON.stringify(expected)}`, () =>
        assert.strictEqual(text(given), expected))
    }

    const prose = [
      "Unexpected token: punc",
      "invalid token: end of input",
      "SyntaxError: Unexpected token } in JSON at position 4",
      "if (token == null) return session === 2 || token => 1",
      "bearer authentication required, basic setup done",
      "at Session.open (/app/src/session.ts:12:34)\n    at file:///app/auth/token.js:1:2",
      "2026-11-22T10:00:00Z ratio=0.5 state: closed",
      "SELECT * FROM users WHERE password = ? AND token = $1",
      "tokens=512 max_tokens: 4096 token_count=7",
      "cursor eyJpZCI6MTIzNDU2Nzg5MDEyMzQ1Njc4OTB9",
      "task-force sk-1 risk-assessment-of-the-2nd-order-kind",
      "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
      "password="
    ]
    for (const given of prose) {
      it(`keeps ${JSON.stringify(given)}`, () => assert.strictEqual(text(given), given))
    }

    it("searches names, status, events and links", () => {
      const span = run({
        name: "GET https://u:p@h/",
        status: "ERROR",
        message: "password=abc",
        events: [
          {
            name: "token=abc",
            attributes: { "exception.stacktrace": "Error: api_key=abc\n    at x.ts:1:2", password: "p" }
          },
          { name: "plain" }
        ],
        links: [{ trace: 2, span: 2, attributes: { authorization: "x" } }]
      })
      assert.strictEqual(span.name, "GET https://REDACTED:REDACTED@h/")
      assert.strictEqual(span.statusMessage, "password=REDACTED")
      assert.deepStrictEqual(span.eventList.map((event) => [event.name, event.attributes]), [
        ["token=REDACTED", [
          "exception.stacktrace",
          "Error: api_key=REDACTED\n    at x.ts:1:2",
          "password",
          "REDACTED"
        ]],
        ["plain", []]
      ])
      assert.deepStrictEqual(span.linkList[0]!.attributes, ["authorization", "REDACTED"])
    })

    it("is linear in hostile text", () => {
      const corpus = [
        "a://",
        "a://b:c/",
        "token=",
        "token: ",
        "\"token\":\"",
        "Bearer ",
        "-----BEGIN ",
        "eyJ.",
        "=",
        "{\"token\":["
      ]
      // Quadratic behaviour would take an hour and run into the test's time limit.
      for (const piece of corpus) text(piece.repeat(1_000_000 / piece.length))
    })
  })

  describe("value rules", () => {
    it("hides literals and prefixed tokens", () => {
      const options: Redact.Options = {
        values: [{ literal: "$&" }, { prefix: "acme_", minLength: 8 }, { literal: "" }]
      }
      assert.strictEqual(
        text("a $& b acme_123 acme_1 xacme_12345", options),
        "a REDACTED b REDACTED acme_1 xacme_12345"
      )
    })

    it("hides the matches of a pattern, stateful flags or not", () => {
      const options: Redact.Options = { values: [/\d{3}-\d{2}/y, /IBAN/gi], mask: "$1" }
      for (let i = 0; i < 3; i++) assert.strictEqual(text("x 123-45 iban 678-90", options), "x $1 $1 $1")
    })

    it("masks what is behind the longest text a pattern sees", () => {
      assert.strictEqual(text("a".repeat(4096) + "secretive", { values: [/b/] }), "a".repeat(4096) + "REDACTED")
    })

    it("takes functions, and fails closed and loudly", () => {
      const lines: Array<string> = []
      const diagnostics = silent(lines)
      const options: Redact.Options = {
        values: [(value, key) => {
          if (key === "throws") throw new Error(`canary ${value}`)
          if (key === "none") return undefined as unknown as string
          return value.replace("blue", "red")
        }]
      }
      const span = run({ attributes: { throws: "a", none: "b", fine: "blue" } }, options, diagnostics)
      assert.deepStrictEqual({ ...toRecord(span.attributeList) }, { throws: "REDACTED", none: "REDACTED", fine: "red" })
      assert.strictEqual(diagnostics.counts.get("processor.redact"), 2)
      assert.strictEqual(lines.length, 1)
      assert.notInclude(lines.join(), "canary")
    })

    it("stops a pattern that hangs, and masks from then on", () => {
      const diagnostics = silent()
      const options: Redact.Options = { values: [/^(?:a+)+$/] }
      const processor = Redact.makeUnsafe(diagnostics, options)
      const span = readable()
      // Each of the first three takes seconds at worst on the slowest machine and well over the limit on the fastest.
      for (let i = 0; i < 5; i++) span.attributeList.push(`n${i}`, "a".repeat(i < 3 ? 26 : 2000) + "!")
      processor.onEnd(span, { emit() {}, drop() {}, hold() {}, sampledOut() {} })
      const record = toRecord(span.attributeList)
      assert.strictEqual(record["n3"], "REDACTED")
      assert.strictEqual(record["n4"], "REDACTED")
      assert.isAbove(diagnostics.counts.get("processor.redact") ?? 0, 0)
    })
  })

  it("removes the content of a span that it cannot search", () => {
    const diagnostics = silent()
    const span = readable({
      name: "secret=abc",
      attributes: { a: 1 },
      events: [{ name: "e" }],
      links: [{ trace: 1, span: 2 }]
    })
    span.attributeList.push(
      "broken",
      new Proxy({}, {
        ownKeys() {
          throw new Error("no")
        }
      })
    )
    const out: Array<ReadableSpan> = []
    Redact.makeUnsafe(diagnostics).onEnd(span, {
      emit: (emitted) => out.push(emitted),
      drop() {},
      hold() {},
      sampledOut() {}
    })
    assert.strictEqual(out[0]!.name, "REDACTED")
    assert.deepStrictEqual([span.attributeList, span.eventList, span.linkList], [[], [], []])
    assert.deepStrictEqual([span.droppedAttributesCount, span.droppedEventsCount, span.droppedLinksCount], [2, 1, 1])
    assert.strictEqual(diagnostics.counts.get("processor.redact"), 1)
  })

  it.effect("takes the diagnostics in use", () =>
    Effect.gen(function*() {
      const diagnostics = silent()
      const processor = yield* Redact.make({
        values: [() => {
          throw new Error("no")
        }]
      }).pipe(Effect.provideService(Diagnostics.Diagnostics, diagnostics))
      processor.onEnd(readable({ name: "x" }), { emit() {}, drop() {}, hold() {}, sampledOut() {} })
      assert.strictEqual(diagnostics.counts.get("processor.redact"), 1)
    }))

  describe("laws", () => {
    it.prop("changes nothing the second time", { value: Schema.String }, ({ value }) => {
      const once = text(value) as string
      return text(once) === once
    })

    const secret = "Zq7canary9X"
    const around: ReadonlyArray<(value: string) => string> = [
      (value) => `password=${value}`,
      (value) => `{"token":"${value}"}`,
      (value) => `https://user:${value}@host/path`,
      (value) => `https://host/path?sig=${value}&x=1`,
      (value) => `Authorization: Bearer ${value}`,
      (value) => `x-api-key: ${value}`
    ]
    it.prop(
      "lets no announced secret through, whatever stands around it",
      { before: Schema.String, after: Schema.String, form: Schema.Literals([0, 1, 2, 3, 4, 5]) },
      ({ before, after, form }) => {
        // A quote or bracket before may swallow the secret, which also hides it.
        return !(text(`${before} ${around[form]!(secret)} ${after}`) as string).includes(secret)
      }
    )
  })
})
