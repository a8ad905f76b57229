/** What the hostile server does, by name. */
import { randomBytes } from "node:crypto"
import type * as http from "node:http"
import type { Socket } from "node:net"
import { createGzip, gzipSync } from "node:zlib"
import { encodeExportResponse } from "effect-telemetry/otlp/OtlpResponse"
import { pour } from "../../test/integration/pour.ts"

/** A request and the means to answer it. */
export interface Exchange {
  readonly request: http.IncomingMessage
  readonly response: http.ServerResponse
  readonly socket: Socket
  /** Which request of its connection this is, from 0. */
  readonly onConnection: number
  /** The address that a redirect leads to. */
  readonly elsewhere: string
  /** The server takes the spans of this request. */
  readonly take: () => void
}

export type Handler = (exchange: Exchange) => void

/** How a stage listens. */
export type Listening = "http" | "https" | "http2" | "nobody" | "blackhole"

export interface Fault {
  /** Default `http`. */
  readonly listening?: Listening
  /** What is done with the first requests; `undefined` for all of them. */
  readonly times?: number
  readonly handle?: Handler
  /** Whether the handler sees a request before its body. */
  readonly early?: boolean
}

/** Answers as a collector does. */
export const accept: Handler = ({ request, response, take }) => {
  take()
  const type = request.headers["content-type"] ?? ""
  const answer = type.startsWith("application/json") ? "{}" : ""
  response.writeHead(200, { "content-type": type, "content-length": answer.length })
  response.end(answer)
}

const reply =
  (status: number, headers: http.OutgoingHttpHeaders = {}, body?: string | Uint8Array): Handler =>
  ({ response, take }) => {
    if (status < 300) take()
    response.writeHead(status, headers).end(body)
  }

const once = (handle: Handler): Fault => ({ times: 1, handle })
const always = (handle: Handler): Fault => ({ handle })

const reset: Handler = ({ socket }) => void socket.resetAndDestroy()
const hang: Handler = () => {}

const every = (response: http.ServerResponse, millis: number, act: () => void): void => {
  const timer = setInterval(act, millis)
  response.on("close", () => clearInterval(timer))
}

const resetInBody: Handler = ({ request, socket }) => void request.once("data", () => socket.resetAndDestroy())

const resetInAnswer: Handler = ({ response, socket, take }) => {
  take()
  response.writeHead(200, { "content-length": "100" }).write("half")
  setTimeout(() => socket.resetAndDestroy(), 50)
}

// One byte a second: each of them starts an idle timer anew.
const slowAnswer: Handler = ({ response }) => {
  response.writeHead(200, { "content-length": "100000" })
  every(response, 1_000, () => response.write("."))
}

const slowReading: Handler = ({ request, response }) => {
  request.pause()
  every(response, 250, () => void request.read(1_024))
}

const seconds = (count: number): string => new Date(Date.now() + count * 1_000).toUTCString()

const html = "<!doctype html><title>Sign in</title><p>Please sign in to use this network."

const bomb: Handler = ({ request, response, take }) => {
  take()
  response.writeHead(200, { "content-type": request.headers["content-type"], "content-encoding": "gzip" })
  const gzip = createGzip()
  gzip.pipe(response)
  response.on("close", () => gzip.destroy())
  pour(gzip, 300)
}

const redirect = (status: number): Handler => ({ elsewhere, response }) =>
  void response.writeHead(status, { location: elsewhere }).end()

const partial: Handler = ({ request, response, take }) => {
  take()
  const type = request.headers["content-type"] ?? ""
  response.writeHead(200, { "content-type": type })
  response.end(encodeExportResponse(type, { rejectedItems: 1, errorMessage: "the span is too old" }))
}

/** An answer for a JSON request in protobuf, and the other way about. */
const wrongType: Handler = ({ request, response, take }) => {
  take()
  const isJson = request.headers["content-type"]?.startsWith("application/json") === true
  response.writeHead(200, { "content-type": isJson ? "application/x-protobuf" : "application/json" })
  response.end(isJson ? Buffer.from([0x0a, 0x00]) : "{}")
}

const late: Handler = (exchange) => void setTimeout(() => accept(exchange), 1_500)

/** Takes one request on each connection; the next one on it finds it closed. */
const oneEach: Handler = (exchange) => exchange.onConnection === 0 ? accept(exchange) : reset(exchange)

const closing: Handler = (exchange) => {
  exchange.response.setHeader("connection", "close")
  accept(exchange)
}

const statuses = [204, 400, 403, 404, 408, 413, 429, 500, 502, 503, 504]

export const faults: Readonly<Record<string, Fault>> = {
  none: { handle: accept },
  nobody: { listening: "nobody" },
  blackhole: { listening: "blackhole" },
  untrusted: { listening: "https", handle: accept },
  http2: { listening: "http2" },
  resetInBody: { times: 1, handle: resetInBody, early: true },
  resetAfterBody: once(reset),
  resetInAnswer: once(resetInAnswer),
  hangOnce: once(hang),
  hang: always(hang),
  slowAnswer: always(slowAnswer),
  slowReading: { times: 1, handle: slowReading, early: true },
  oneEach: always(oneEach),
  closing: always(closing),
  late: always(late),
  ...Object.fromEntries(statuses.map((status) => [String(status), once(reply(status))])),
  "401": always(reply(401, { "content-type": "text/plain" }, "no token")),
  "407": once(reply(407, { "proxy-authenticate": `Basic realm="proxy"`, "content-type": "text/html" }, html)),
  unavailable: always(reply(503)),
  unavailableThrice: { times: 3, handle: reply(503) },
  retryAfter2: once(reply(503, { "retry-after": "2" })),
  retryAfterDate: once((exchange) => reply(429, { "retry-after": seconds(3) })(exchange)),
  retryAfter0: { times: 20, handle: reply(503, { "retry-after": "0" }) },
  retryAfterJunk: { times: 2, handle: reply(503, { "retry-after": "soon" }) },
  retryAfter30: once(reply(503, { "retry-after": "30" })),
  redirect301: once(redirect(301)),
  redirect307: once(redirect(307)),
  partial: once(partial),
  html: once(reply(200, { "content-type": "text/html" }, html)),
  wrongType: once(wrongType),
  brokenGzip: once(({ request, response, take }) => {
    take()
    response.writeHead(200, { "content-type": request.headers["content-type"], "content-encoding": "gzip" })
    response.end(gzipSync(randomBytes(500)).subarray(0, 300))
  }),
  bomb: once(bomb),
  huge: once(({ request, response, take }) => {
    take()
    response.writeHead(200, { "content-type": request.headers["content-type"] })
    pour(response, 200)
  }),
  notHttp: once(({ socket }) => void socket.end("SSH-2.0-OpenSSH_9.9\r\n")),
  earlyHints: once((exchange) => {
    exchange.response.writeEarlyHints({ link: "</a>; rel=preload" })
    setTimeout(() => accept(exchange), 200)
  })
}
