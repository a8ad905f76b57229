/**
 * Against a real OpenTelemetry Collector: what our exporter sends, its own file exporter writes down whole.
 *
 * The Collector is `$OTELCOL_BIN`, or what `node scripts/collector/build.mjs` built; without either the tests are skipped.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { TracesLedger } from "../../src/diagnostics/CurrentLedger.ts"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import { SignalLedger } from "../../src/diagnostics/Ledger.ts"
import * as OtlpSpanExporter from "../../src/exporters/OtlpSpanExporter.ts"
import { SpanExporter } from "../../src/exporters/SpanExporter.ts"
import { type AttributeList, fromRecord } from "../../src/model/Attributes.ts"
import type { InstrumentationScope } from "../../src/model/InstrumentationScope.ts"
import type { ReadableSpan } from "../../src/model/ReadableSpan.ts"
import type { Resource } from "../../src/model/Resource.ts"
import * as BatchSpanProcessor from "../../src/processors/BatchSpanProcessor.ts"
import { collected } from "../delivery/support.ts"
import { readable } from "../exporters/spans.ts"
import { freePort } from "./server.ts"

const built = fileURLToPath(new URL("../../.cache/collector/otelcol", import.meta.url))
const binary = process.env["OTELCOL_BIN"] ?? built
const isPresent = existsSync(binary)
if (!isPresent) {
  console.log(`collector tests skipped: there is no ${binary}; build it with "node scripts/collector/build.mjs"`)
}

const list = (record: Record<string, unknown>): AttributeList => fromRecord(record).list

const resource: Resource = {
  attributes: { "service.name": "shop", "process.command_args": ["node", "main.js"], "process.pid": 7 },
  schemaUrl: "https://opentelemetry.io/schemas/1.37.0"
}
const cart: InstrumentationScope = {
  name: "cart",
  version: "1.2.3",
  attributes: { "scope.kind": "library" },
  schemaUrl: "https://opentelemetry.io/schemas/1.36.0"
}

/** One span that uses every field, and two that use none of the optional ones. */
const spans: ReadonlyArray<ReadableSpan> = [
  {
    ...readable({ trace: 0xabc, id: 1, parent: 2, kind: "SERVER", status: "ERROR", message: "it broke ☂" }),
    name: "everything \u0001 \"quoted\" \u{1f6d2}",
    parentIsRemote: true,
    traceFlags: 3,
    traceState: "vendor=a:b,ot=th:8",
    startTimeUnixNano: 1_795_341_600_123_456_789n,
    endTimeUnixNano: 1_795_341_600_987_654_321n,
    attributeList: list({
      text: "ä",
      empty: "",
      yes: true,
      no: false,
      zero: 0,
      int: -42,
      safe: Number.MAX_SAFE_INTEGER,
      int64: -(2n ** 63n),
      double: 0.1,
      tiny: 5e-324,
      large: 1.5e300,
      bytes: new Uint8Array([0, 1, 254, 255]),
      nothing: null,
      texts: ["a", "b"],
      mixed: [1, "two", false, null, [3.5], { four: 4 }],
      none: [],
      map: { "inner.key": { deeper: true }, list: [1, 2] }
    }),
    droppedAttributesCount: 3,
    eventList: [
      {
        name: "first",
        timeUnixNano: 1_795_341_600_200_000_001n,
        attributes: list({ n: 1 }),
        droppedAttributesCount: 4
      },
      { name: "second", timeUnixNano: 1_795_341_600_300_000_000n, attributes: [], droppedAttributesCount: 0 }
    ],
    droppedEventsCount: 5,
    linkList: [
      {
        traceId: "00000000000000000000000000000def",
        spanId: "00000000000000ff",
        traceFlags: 1,
        isRemote: true,
        traceState: "other=1",
        attributes: list({ why: "cause" }),
        droppedAttributesCount: 6
      }
    ],
    droppedLinksCount: 7,
    scope: cart,
    resource
  },
  { ...readable({ trace: 0xabc, id: 3, kind: "PRODUCER", status: "OK" }), scope: cart, resource },
  { ...readable({ trace: 0xabd, id: 4, kind: "INTERNAL" }), scope: { name: "plain" }, resource }
]

const attribute = (key: string, value: unknown) => ({ key, value })
const text = (stringValue: string) => ({ stringValue })
const int = (intValue: string) => ({ intValue })

// OTLP JSON by hand, after the protocol's definition. Fields at their default are left out, as the Collector does.
const expected = {
  resource: {
    attributes: [
      attribute("service.name", text("shop")),
      attribute("process.command_args", { arrayValue: { values: [text("node"), text("main.js")] } }),
      attribute("process.pid", int("7"))
    ]
  },
  schemaUrl: "https://opentelemetry.io/schemas/1.37.0",
  scopeSpans: [
    {
      scope: { name: "cart", version: "1.2.3", attributes: [attribute("scope.kind", text("library"))] },
      schemaUrl: "https://opentelemetry.io/schemas/1.36.0",
      spans: [
        {
          traceId: "00000000000000000000000000000abc",
          spanId: "0000000000000001",
          parentSpanId: "0000000000000002",
          // Sampled and random, and the parent is known to be remote.
          flags: 0x303,
          traceState: "vendor=a:b,ot=th:8",
          name: "everything \u0001 \"quoted\" \u{1f6d2}",
          kind: 2,
          startTimeUnixNano: "1795341600123456789",
          endTimeUnixNano: "1795341600987654321",
          attributes: [
            attribute("text", text("ä")),
            attribute("empty", text("")),
            attribute("yes", { boolValue: true }),
            attribute("no", { boolValue: false }),
            attribute("zero", int("0")),
            attribute("int", int("-42")),
            attribute("safe", int("9007199254740991")),
            attribute("int64", int("-9223372036854775808")),
            attribute("double", { doubleValue: 0.1 }),
            attribute("tiny", { doubleValue: 5e-324 }),
            attribute("large", { doubleValue: 1.5e300 }),
            attribute("bytes", { bytesValue: "AAH+/w==" }),
            attribute("nothing", {}),
            attribute("texts", { arrayValue: { values: [text("a"), text("b")] } }),
            attribute("mixed", {
              arrayValue: {
                values: [
                  int("1"),
                  text("two"),
                  { boolValue: false },
                  {},
                  { arrayValue: { values: [{ doubleValue: 3.5 }] } },
                  { kvlistValue: { values: [attribute("four", int("4"))] } }
                ]
              }
            }),
            attribute("none", { arrayValue: {} }),
            attribute("map", {
              kvlistValue: {
                values: [
                  attribute("inner.key", { kvlistValue: { values: [attribute("deeper", { boolValue: true })] } }),
                  attribute("list", { arrayValue: { values: [int("1"), int("2")] } })
                ]
              }
            })
          ],
          droppedAttributesCount: 3,
          events: [
            {
              name: "first",
              timeUnixNano: "1795341600200000001",
              attributes: [attribute("n", int("1"))],
              droppedAttributesCount: 4
            },
            { name: "second", timeUnixNano: "1795341600300000000" }
          ],
          droppedEventsCount: 5,
          links: [
            {
              traceId: "00000000000000000000000000000def",
              spanId: "00000000000000ff",
              flags: 0x301,
              traceState: "other=1",
              attributes: [attribute("why", text("cause"))],
              droppedAttributesCount: 6
            }
          ],
          droppedLinksCount: 7,
          status: { code: 2, message: "it broke ☂" }
        },
        {
          traceId: "00000000000000000000000000000abc",
          spanId: "0000000000000003",
          flags: 0x103,
          name: "span",
          kind: 4,
          startTimeUnixNano: "1795341600000000000",
          endTimeUnixNano: "1795341600001000000",
          status: { code: 1 }
        }
      ]
    },
    {
      scope: { name: "plain" },
      spans: [
        {
          traceId: "00000000000000000000000000000abd",
          spanId: "0000000000000004",
          flags: 0x103,
          name: "span",
          kind: 1,
          startTimeUnixNano: "1795341600000000000",
          endTimeUnixNano: "1795341600001000000",
          status: {}
        }
      ]
    }
  ]
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.on("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.on("error", () => resolve(false))
  })

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

describe.skipIf(!isPresent)("OpenTelemetry Collector", () => {
  let directory: string
  let port: number
  let collector: ChildProcess
  let hasExited: Promise<unknown>
  let log = ""

  beforeAll(async () => {
    port = await Effect.runPromise(freePort)
    directory = mkdtempSync(join(tmpdir(), "collector-"))
    const config = join(directory, "config.yaml")
    writeFileSync(
      config,
      `receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
exporters: { file: { path: ${JSON.stringify(join(directory, "spans.jsonl"))}, flush_interval: 50ms } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [file] } }
`
    )
    collector = spawn(binary, ["--config", `file:${config}`], { stdio: ["ignore", "ignore", "pipe"] })
    collector.stderr!.on("data", (chunk) => log += chunk)
    hasExited = new Promise((resolve) => collector.on("exit", resolve))
    while (!(await isListening(port))) {
      if (collector.exitCode !== null) throw new Error(`the Collector did not start:\n${log}`)
      await pause(50)
    }
  })

  afterAll(async () => {
    collector.kill("SIGTERM")
    await hasExited
    rmSync(directory, { recursive: true, force: true })
  })

  const written = (): Array<{ resourceSpans: Array<unknown> }> => {
    const path = join(directory, "spans.jsonl")
    const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : []
    return lines.map((line) => JSON.parse(line))
  }

  const send = (options: Partial<OtlpSpanExporter.OtlpSpanExporterOptions>) =>
    Effect.gen(function*() {
      const ledger = new SignalLedger()
      const { diagnostics, lines } = collected()
      yield* Effect.scoped(Effect.gen(function*() {
        const exporter = yield* OtlpSpanExporter.make({ url: `http://127.0.0.1:${port}/v1/traces`, ...options })
        const processor = yield* Effect.provideService(BatchSpanProcessor.make(), SpanExporter, exporter)
        for (const span of spans) processor.onEnd(span, { emit: () => {}, drop: () => {}, hold() {}, sampledOut() {} })
      })).pipe(Effect.provideService(TracesLedger, ledger), Effect.provideService(Diagnostics, diagnostics))
      return { account: ledger.accounts[0]!, lines }
    })

  for (const protocol of ["http/protobuf", "http/json"] as const) {
    for (const compression of ["none", "gzip"] as const) {
      it.live(`writes down what arrives by ${protocol}, compression ${compression}`, () =>
        Effect.gen(function*() {
          const before = written().length
          const { account, lines } = yield* send({ protocol, compression })
          assert.deepStrictEqual([account.exported, account.rejected, account.dropped, lines], [3, {}, {}, []])
          while (written().length === before) yield* Effect.sleep("20 millis")
          const [document, ...rest] = written().slice(before)
          assert.deepStrictEqual(rest, [])
          assert.deepStrictEqual(document, { resourceSpans: [expected] })
        }))
    }
  }

  it.live("reports what the Collector has against a request", () =>
    Effect.gen(function*() {
      const { account, lines } = yield* send({ url: `http://127.0.0.1:${port}/nowhere` })
      assert.deepStrictEqual(account.rejected, { permanent_status: 3 })
      assert.include(lines[0], "HTTP 404 (check the endpoint")
    }))
})
