/** `node:http` and `fetch`, with the Promise facade. */
import { extract, inject, trace, TraceContext } from "effect-telemetry/promise"
import * as Schema from "effect/Schema"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { Actions } from "./action.ts"

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString())
}

const test = async (request: IncomingMessage): Promise<void> => {
  for (const action of Schema.decodeUnknownSync(Actions)(await bodyOf(request))) {
    await trace("POST", { kind: "client" }, async () => {
      const response = await fetch(action.url, {
        method: "POST",
        headers: { "content-type": "application/json", ...inject(action.url) },
        body: JSON.stringify(action.arguments)
      })
      await response.text()
    })
  }
}

/** Serves until the process ends. */
export const servePlain = async (port: number, onListen: (url: string) => void): Promise<void> => {
  await TraceContext.initialize({ serviceName: "w3c-service", tracesExporters: ["none"] })
  const server = createServer((request, response) => {
    if (request.method !== "POST" || request.url !== "/test") {
      response.writeHead(404).end()
      return
    }
    trace("POST /test", { kind: "server", parent: extract(request.headers) }, () => test(request)).then(
      () => response.writeHead(200).end(),
      () => response.writeHead(500).end()
    )
  })
  server.listen(port, "127.0.0.1", () => onListen(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
}
