/** An OTLP receiver that keeps what it is sent, in the JSON form. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

type Value = { readonly stringValue?: string; readonly intValue?: string | number; readonly boolValue?: boolean }

export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceState?: string
  readonly name: string
  readonly kind: number
  readonly attributes?: ReadonlyArray<{ readonly key: string; readonly value: Value }>
  readonly events?: ReadonlyArray<{
    readonly name: string
    readonly attributes?: ReadonlyArray<{ readonly key: string; readonly value: Value }>
  }>
  readonly status?: { readonly code?: number; readonly message?: string }
}

interface Request {
  readonly resourceSpans: ReadonlyArray<{
    readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<ReceivedSpan> }>
  }>
}

export interface Receiver {
  readonly url: string
  readonly spans: ReadonlyArray<ReceivedSpan>
  readonly close: () => void
}

export const listen = (): Promise<Receiver> =>
  new Promise((resolve) => {
    const spans: Array<ReceivedSpan> = []
    const server = createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as Request
        for (const { scopeSpans } of resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans)
        response.writeHead(200, { "content-type": "application/json" }).end("{}")
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resolve({
        url: `http://127.0.0.1:${port}`,
        spans,
        close: () => {
          server.closeAllConnections()
          server.close()
        }
      })
    })
  })
