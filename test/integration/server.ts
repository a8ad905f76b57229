/** Real servers for tests: they answer by script, then accept everything. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Https from "node:https"
import type { AddressInfo } from "node:net"
import * as Net from "node:net"

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: Http.IncomingHttpHeaders
  readonly body: Buffer
  /** Which connection it came on, from 0. */
  readonly connection: number
}

export interface Exchange {
  readonly request: Http.IncomingMessage
  readonly response: Http.ServerResponse
}

/** What the server does with a request; `early` ones see it before its body. */
export type Handler = ((exchange: Exchange) => void) & { readonly early?: boolean }

export const early = (handler: (exchange: Exchange) => void): Handler => Object.assign(handler, { early: true })

export const reply =
  (status: number, headers: Http.OutgoingHttpHeaders = {}, body?: string | Uint8Array): Handler => ({ response }) => {
    response.writeHead(status, headers).end(body)
  }

export interface TestServer {
  readonly port: number
  readonly url: string
  readonly received: ReadonlyArray<Received>
  readonly connections: () => number
}

/** A server that handles the first requests by `script` and answers 200 to the others. */
export const start = (
  script: ReadonlyArray<Handler> = [],
  options?: { readonly port?: number; readonly tls?: Https.ServerOptions }
): Effect.Effect<TestServer, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const received: Array<Received> = []
        const connections: Array<Net.Socket> = []
        const steps = [...script]
        const listener = (request: Http.IncomingMessage, response: Http.ServerResponse): void => {
          const step = steps.shift() ?? reply(200)
          const chunks: Array<Buffer> = []
          request.on("error", () => {})
          response.on("error", () => {})
          if (step.early) step({ request, response })
          request.on("data", (chunk: Buffer) => chunks.push(chunk))
          request.on("end", () => {
            received.push({
              method: request.method!,
              path: request.url!,
              headers: request.headers,
              body: Buffer.concat(chunks),
              connection: connections.indexOf(request.socket)
            })
            if (!step.early) step({ request, response })
          })
        }
        const server = options?.tls === undefined
          ? Http.createServer(listener)
          : Https.createServer(options.tls, listener)
        server.on(options?.tls === undefined ? "connection" : "secureConnection", (socket: Net.Socket) => {
          connections.push(socket)
          socket.on("error", () => {})
        })
        await new Promise<void>((resolve) => server.listen(options?.port ?? 0, "127.0.0.1", resolve))
        return { server, received, connections }
      }),
      ({ connections, server }) =>
        Effect.promise(() =>
          new Promise((resolve) => {
            server.close(resolve)
            for (const socket of connections) socket.destroy()
          })
        )
    ),
    ({ connections, received, server }) => {
      const { port } = server.address() as AddressInfo
      const scheme = options?.tls === undefined ? "http" : "https"
      return {
        port,
        url: `${scheme}://localhost:${port}/v1/traces`,
        received,
        connections: () => connections.length
      }
    }
  )

/** A port on which nothing listens. */
export const freePort: Effect.Effect<number> = Effect.promise(() =>
  new Promise((resolve) => {
    const server = Net.createServer()
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
)
