/** A receiver of OTLP over HTTP: keeps the spans and counts the requests of each service. */
import * as OtlpDecoder from "effect-telemetry/otlp/OtlpDecoder"
import { serviceOf } from "effect-telemetry/exporters/TraceTree"
import type { SpanData } from "effect-telemetry/model/SpanData"
import * as Result from "effect/Result"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { gunzipSync } from "node:zlib"

export interface Receiver {
  /** For `otlp.endpoint`. */
  readonly endpoint: string
  readonly spans: ReadonlyArray<SpanData>
  /** Requests of a service. */
  readonly requests: ReadonlyMap<string, number>
  /** What came and could not be read. */
  readonly problems: ReadonlyArray<string>
  readonly close: () => void
}

const read = async (request: IncomingMessage): Promise<Uint8Array> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  return request.headers["content-encoding"] === "gzip" ? gunzipSync(body, { maxOutputLength: 64 * 1024 * 1024 }) : body
}

export const startReceiver = async (): Promise<Receiver> => {
  const spans: Array<SpanData> = []
  const requests = new Map<string, number>()
  const problems: Array<string> = []

  const receive = async (request: IncomingMessage): Promise<number> => {
    const body = await read(request)
    if (request.method !== "POST" || request.url !== "/v1/traces") {
      problems.push(`a ${request.method} ${request.url}`)
      return 404
    }
    const decoded = OtlpDecoder.decode(request.headers["content-type"] ?? "", body)
    if (Result.isFailure(decoded)) {
      problems.push(decoded.failure.message)
      return 400
    }
    const [first] = decoded.success
    if (first !== undefined) requests.set(serviceOf(first), (requests.get(serviceOf(first)) ?? 0) + 1)
    spans.push(...decoded.success)
    return 200
  }

  const server = createServer((request, response) => {
    receive(request)
      .catch((error: unknown) => {
        problems.push(String(error))
        return 400
      })
      .then((status) => {
        // An empty `ExportTraceServiceResponse`, in the encoding of the request.
        const contentType = request.headers["content-type"] ?? "application/json"
        response.writeHead(status, { "content-type": contentType }).end(contentType.includes("json") ? "{}" : undefined)
      })
  })
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject)
    server.listen(0, "127.0.0.1", resolve)
  })
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    requests,
    problems,
    close: () => {
      server.close()
      server.closeAllConnections()
    }
  }
}
