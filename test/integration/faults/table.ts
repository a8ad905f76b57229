/** What a server may do to one request: the script, and what has to become of two batches of two spans each. */
import { randomBytes } from "node:crypto"
import { gzipSync } from "node:zlib"
import type { OtlpSpanExporterOptions } from "../../../src/exporters/OtlpSpanExporter.ts"
import { encodeExportResponse, encodeStatus } from "../../../src/otlp/OtlpResponse.ts"
import { early, type Handler, reply } from "../server.ts"
import { drip, hang } from "./pipeline.ts"

const protobuf = { "content-type": "application/x-protobuf" }

export interface Fault {
  readonly name: string
  readonly script: ReadonlyArray<Handler>
  readonly options?: Partial<OtlpSpanExporterOptions>
  /** Of the two batches of 2 spans. */
  readonly exported: number
  readonly rejected?: Record<string, number>
  readonly dropped?: Record<string, number>
  /** So that a request takes more than one packet. */
  readonly nameLength?: number
  /** Requests whose body arrived in full. */
  readonly received: number
  /** What the first line of diagnostics says; none when it is left out. */
  readonly says?: string
}

const seconds = (count: number) => new Date(Math.ceil((Date.now() + count * 1_000) / 1_000) * 1_000).toUTCString()

const bytes = (count: number): Handler => ({ response }) => {
  response.writeHead(200, protobuf)
  const chunk = Buffer.alloc(64 * 1024, 0x0a)
  let sent = 0
  const more = (): void => {
    while (sent < count && !response.destroyed) {
      sent += chunk.length
      if (!response.write(chunk)) return void response.once("drain", more)
    }
    response.end()
  }
  more()
}

const raw = (text: string): Handler => ({ request }) => {
  request.socket.end(text)
}

/** The faults of one request or answer. */
export const faults: ReadonlyArray<Fault> = [
  {
    name: "the connection is reset within the request",
    script: [early(({ request }) => request.socket.destroy())],
    nameLength: 1_000_000,
    exported: 4,
    received: 2,
    says: "connect"
  },
  {
    name: "the connection ends after the request, without an answer",
    script: [({ request }) => request.socket.destroy()],
    exported: 4,
    received: 3,
    says: "connect"
  },
  {
    name: "the answer is cut off",
    script: [({ request, response }) => {
      response.writeHead(200, { "content-length": "100" }).write("half")
      setTimeout(() => request.socket.destroy(), 20)
    }],
    exported: 4,
    received: 3,
    says: "connect"
  },
  {
    name: "no answer",
    script: [hang],
    options: { timeout: 200 },
    exported: 4,
    received: 3,
    says: "timeout: no answer from localhost"
  },
  {
    name: "an answer that drips in",
    script: [drip],
    options: { timeout: 200 },
    exported: 4,
    received: 3,
    says: "timeout"
  },
  { name: "429", script: [reply(429)], exported: 4, received: 3, says: "HTTP 429" },
  { name: "502, 503, 504", script: [reply(502), reply(503), reply(504)], exported: 4, received: 5, says: "HTTP 502" },
  {
    name: "Retry-After in seconds",
    script: [reply(503, { "retry-after": "1" })],
    exported: 4,
    received: 3,
    says: "503"
  },
  {
    name: "Retry-After as a date",
    script: [({ response }) => response.writeHead(429, { "retry-after": seconds(1) }).end()],
    exported: 4,
    received: 3,
    says: "429"
  },
  { name: "Retry-After of 0", script: [reply(503, { "retry-after": "0" })], exported: 4, received: 3, says: "503" },
  {
    name: "400",
    script: [reply(400, protobuf, encodeStatus("application/x-protobuf", { code: 3, message: "bad span" }))],
    exported: 2,
    rejected: { permanent_status: 2 },
    received: 2,
    says: `HTTP 400: "bad span"`
  },
  {
    name: "401",
    script: [reply(401, { "content-type": "text/plain" }, "no token\n")],
    exported: 2,
    rejected: { permanent_status: 2 },
    received: 2,
    says: `credentials in the configured headers): "no token"`
  },
  { name: "403", script: [reply(403)], exported: 2, rejected: { permanent_status: 2 }, received: 2, says: "HTTP 403" },
  { name: "408", script: [reply(408)], exported: 2, rejected: { permanent_status: 2 }, received: 2, says: "HTTP 408" },
  {
    name: "Retry-After that is no time",
    script: [reply(503, { "retry-after": "soon" })],
    exported: 4,
    received: 3,
    says: "503"
  },
  {
    name: "404",
    script: [reply(404)],
    exported: 2,
    rejected: { permanent_status: 2 },
    received: 2,
    says: "/v1/traces"
  },
  { name: "500", script: [reply(500)], exported: 2, rejected: { permanent_status: 2 }, received: 2, says: "HTTP 500" },
  { name: "413", script: [reply(413)], exported: 4, received: 4 },
  {
    name: "413 for one of two halves",
    script: [reply(413), reply(413)],
    exported: 3,
    rejected: { permanent_status: 1 },
    received: 4,
    says: "HTTP 413"
  },
  {
    name: "413 before the request was read",
    script: [early(({ response }) => response.writeHead(413, { connection: "close" }).end())],
    nameLength: 100_000,
    exported: 4,
    received: 4
  },
  {
    name: "partial success",
    script: [
      reply(200, protobuf, encodeExportResponse("application/x-protobuf", { rejectedItems: 1, errorMessage: "old" }))
    ],
    exported: 3,
    rejected: { partial_rejected: 1 },
    received: 2,
    says: `rejected 1 of 2 spans: "old"`
  },
  {
    name: "an accepted request with a page of HTML",
    script: [reply(200, { "content-type": "text/html" }, "<html>")],
    exported: 4,
    received: 2,
    says: "not OTLP"
  },
  {
    name: "an answer of 200 MB",
    script: [bytes(200e6)],
    exported: 2,
    dropped: { export_error: 2 },
    received: 2,
    says: "larger"
  },
  {
    name: "a gzip bomb",
    script: [reply(200, { ...protobuf, "content-encoding": "gzip" }, gzipSync(Buffer.alloc(100e6)))],
    exported: 2,
    dropped: { export_error: 2 },
    received: 2,
    says: "larger than 4194304 bytes"
  },
  {
    name: "an answer in gzip",
    script: [
      reply(
        200,
        { ...protobuf, "content-encoding": "gzip" },
        gzipSync(encodeExportResponse("application/x-protobuf", { rejectedItems: 1, errorMessage: "zipped" }))
      )
    ],
    exported: 3,
    rejected: { partial_rejected: 1 },
    received: 2,
    says: "zipped"
  },
  {
    name: "an answer in broken gzip",
    script: [reply(200, { ...protobuf, "content-encoding": "gzip" }, randomBytes(500))],
    exported: 4,
    received: 2,
    says: "not OTLP"
  },
  {
    name: "an answer in a compression nobody asked for",
    script: [reply(200, { ...protobuf, "content-encoding": "br" }, randomBytes(500))],
    exported: 4,
    received: 2,
    says: "not OTLP"
  },
  {
    name: "an answer that is not HTTP",
    script: [raw("SSH-2.0-OpenSSH_9.9\r\n")],
    exported: 2,
    dropped: { export_error: 2 },
    received: 2,
    says: "did not answer in HTTP"
  },
  {
    name: "an answer that is reset half-way",
    script: [({ request, response }) => {
      response.writeHead(200, { "content-length": "100" }).write("half")
      setTimeout(() => request.socket.resetAndDestroy(), 20)
    }],
    exported: 4,
    received: 3,
    says: "connect"
  },
  {
    name: "an answer in gzip that is cut off",
    script: [
      reply(200, { ...protobuf, "content-encoding": "gzip" }, gzipSync(randomBytes(500)).subarray(0, 300))
    ],
    exported: 4,
    received: 2,
    says: "not OTLP"
  },
  {
    name: "an answer of the other content type, which is honest about it",
    script: [reply(200, { "content-type": "application/json" }, `{"partialSuccess":{"rejectedSpans":"1"}}`)],
    exported: 3,
    rejected: { partial_rejected: 1 },
    received: 2,
    says: "rejected 1 of 2"
  },
  {
    name: "an answer of a content type that lies",
    script: [reply(200, protobuf, `{"partialSuccess":{}}`)],
    exported: 4,
    received: 2,
    says: "not OTLP"
  },
  { name: "204", script: [reply(204)], exported: 4, received: 2 },
  {
    name: "407 of a proxy",
    script: [reply(407, { "proxy-authenticate": `Basic realm="proxy"`, "content-type": "text/html" }, "<html>")],
    exported: 2,
    rejected: { permanent_status: 2 },
    received: 2,
    says: "a proxy on the way asks for credentials"
  },
  {
    name: "100, 102 and 103 before the answer",
    script: [({ request, response }) => {
      request.socket.write("HTTP/1.1 100 Continue\r\n\r\n")
      response.writeProcessing()
      response.writeEarlyHints({ link: "</a>; rel=preload" })
      response.writeHead(200).end()
    }],
    exported: 4,
    received: 2
  },
  {
    name: "101",
    script: [raw("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ssh\r\n\r\n")],
    exported: 2,
    dropped: { export_error: 2 },
    received: 2,
    says: "switched protocols"
  },
  {
    name: "an answer without a length on a connection that then closes",
    script: [raw("HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\nconnection: close\r\n\r\n")],
    exported: 4,
    received: 2
  },
  {
    name: "early hints and a late answer",
    script: [({ response }) => {
      response.writeEarlyHints({ link: "</a>; rel=preload" })
      setTimeout(() => response.writeHead(200).end(), 50)
    }],
    exported: 4,
    received: 2
  }
]
