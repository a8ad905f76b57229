/**
 * The process that every contender sends to: it answers each request as a collector does, keeps the body, and counts
 * when it is asked, so that its own work does not run beside what is measured.
 *
 * `POST /<key>/v1/traces` takes OTLP; `GET /<key>` counts what came under that key so far.
 */
import * as http from "node:http"
import { gunzipSync } from "node:zlib"
import { countSpans } from "./countSpans.ts"

/** What arrived under a key. */
export interface Received {
  readonly spans: number
  readonly requests: number
  /** Bytes of bodies, as they were on the wire. */
  readonly bytes: number
  /** Requests that could not be read. */
  readonly errors: ReadonlyArray<string>
}

interface Kept {
  readonly body: Buffer
  readonly type: string
  readonly encoding: string | undefined
}

const waiting = new Map<string, Array<Kept>>()
const counted = new Map<string, Received>()

const count = (key: string): Received => {
  const previous = counted.get(key) ?? { spans: 0, requests: 0, bytes: 0, errors: [] }
  let { bytes, requests, spans } = previous
  const errors = [...previous.errors]
  for (const { body, encoding, type } of waiting.get(key) ?? []) {
    requests++
    bytes += body.length
    try {
      spans += countSpans(encoding === "gzip" ? gunzipSync(body) : body, type)
    } catch (error) {
      errors.push(String(error))
    }
  }
  waiting.delete(key)
  const total = { spans, requests, bytes, errors }
  counted.set(key, total)
  return total
}

const take = (request: http.IncomingMessage, response: http.ServerResponse, key: string): void => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    const type = request.headers["content-type"] ?? ""
    const kept = { body: Buffer.concat(chunks), type, encoding: request.headers["content-encoding"] }
    const list = waiting.get(key)
    if (list === undefined) waiting.set(key, [kept])
    else list.push(kept)
    const answer = type.startsWith("application/json") ? "{}" : ""
    response.writeHead(200, { "content-type": type, "content-length": answer.length })
    response.end(answer)
  })
}

const server = http.createServer((request, response) => {
  const [, key = "", ...rest] = (request.url ?? "").split("/")
  if (request.method === "POST" && rest.join("/") === "v1/traces") return take(request, response, key)
  if (request.method === "GET" && rest.length === 0) {
    response.writeHead(200, { "content-type": "application/json" })
    return response.end(JSON.stringify(count(key)))
  }
  response.writeHead(404)
  response.end()
})
// Connections outlive the pauses between the rounds of a contender, so that none meets a socket that is being closed.
server.keepAliveTimeout = 3_600_000
server.requestTimeout = 0
server.listen(0, "127.0.0.1", () => {
  process.send!({ port: (server.address() as { readonly port: number }).port })
})
process.on("disconnect", () => process.exit())
