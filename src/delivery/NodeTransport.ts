/**
 * The transport of server runtimes: `node:http` and `node:https`, without Effect's HTTP client, so that no request is
 * ever traced by the telemetry it carries.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as Http from "node:http"
import type * as Https from "node:https"
import type * as Net from "node:net"
import type * as Zlib from "node:zlib"
import { nodeBuiltin } from "../internal/nodeBuiltin.ts"
import { untraced } from "../internal/otherTracers.ts"
import { Transport, TransportError, type TransportRequest, type TransportResponse } from "./Transport.ts"

/** TLS material, as PEM text (not a path). */
export interface TlsOptions {
  /** Certificates to trust instead of the runtime's own. */
  readonly certificate?: string | undefined
  /** The client's certificate, for mutual TLS. */
  readonly clientCertificate?: string | undefined
  /** The client's private key, for mutual TLS. */
  readonly clientKey?: string | Redacted.Redacted<string> | undefined
}

/** Options of {@link make}. */
export interface NodeTransportOptions extends TlsOptions {
  /** Most connections to one host. Default: no bound; a delivery sends one request at a time. */
  readonly maxConnections?: number | undefined
}

interface Modules {
  readonly http: typeof Http
  readonly https: typeof Https
  readonly zlib: typeof Zlib
}

const modules = (): Modules | undefined => {
  const http = nodeBuiltin<typeof Http>("http")
  const https = nodeBuiltin<typeof Https>("https")
  const zlib = nodeBuiltin<typeof Zlib>("zlib")
  return http === undefined || https === undefined || zlib === undefined ? undefined : { http, https, zlib }
}

/** Whether this runtime has what the transport needs. */
export const isAvailable = (): boolean => modules() !== undefined

const tlsCodes = /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|EPROTO)/

interface Failure {
  readonly code?: string | undefined
  readonly message?: string | undefined
}

// Only the code of an unknown error is told: its message may quote a header.
const failure = (error: Failure, host: string): TransportError => {
  const code = String(error.code ?? "the connection broke")
  return tlsCodes.test(code)
    ? new TransportError({ reason: "tls", detail: `${code} at ${host}: ${firstLine(error.message ?? "")}` })
    : code === "ERR_INVALID_CHAR" || code === "ERR_INVALID_HTTP_TOKEN"
    ? new TransportError({ reason: "response", detail: "a header holds characters that HTTP does not allow" })
    : code.startsWith("HPE_")
    ? new TransportError({ reason: "response", detail: `${host} did not answer in HTTP (${code})` })
    : new TransportError({ reason: "connect", detail: `${code} at ${host}` })
}

const firstLine = (text: string): string => text.split("\n", 1)[0]!.slice(0, 256)

const tooLarge = (limit: number): TransportError =>
  new TransportError({ reason: "response", detail: `the answer is larger than ${limit} bytes` })

const flatHeaders = (headers: Http.IncomingHttpHeaders): Record<string, string> => {
  const flat: Record<string, string> = Object.create(null)
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value
  }
  return flat
}

/**
 * Makes the transport over `node:http` and `node:https`. Its connections are closed with the scope. Dies where the
 * runtime has no such modules; see {@link isAvailable}.
 *
 * **Details**
 *
 * Connections are kept alive and reused; none keeps the process running, busy or idle. A reused connection that the
 * server had closed in the meantime is replaced by a fresh one, once, within the same deadline. Answers may be gzip; the
 * bound on their size holds before and after decompression. An answer whose compression is broken or unknown is handed
 * over as it came.
 */
export const make = Effect.fnUntraced(function*(
  options?: NodeTransportOptions
): Effect.fn.Return<Transport["Service"], never, Scope.Scope> {
  const node = modules()
  if (node === undefined) return yield* Effect.die(new Error("this runtime has no node:http"))
  const key = options?.clientKey
  const tls = {
    ...(options?.certificate === undefined ? {} : { ca: options.certificate }),
    ...(options?.clientCertificate === undefined ? {} : { cert: options.clientCertificate }),
    ...(key === undefined ? {} : { key: Redacted.isRedacted(key) ? Redacted.value(key) : key })
  }
  const pool = { keepAlive: true, maxSockets: options?.maxConnections ?? Infinity }
  const agents = yield* Effect.acquireRelease(
    Effect.sync(() => ({ "http:": new node.http.Agent(pool), "https:": new node.https.Agent(pool) })),
    (agents) =>
      Effect.sync(() => {
        agents["http:"].destroy()
        agents["https:"].destroy()
      })
  )
  // A program has few destinations.
  let known = { url: "", address: undefined as Address | undefined }
  const addressOf = (url: string): Address | undefined => {
    if (known.url !== url) known = { url, address: parse(url) }
    return known.address
  }
  return Transport.of({
    releasesBody: true,
    send: (request) =>
      Effect.callback((resume) => {
        const stop = untraced(() =>
          exchange(
            node,
            agents,
            tls,
            addressOf(request.url),
            request,
            (response) => resume(Effect.succeed(response)),
            (error) => resume(Effect.fail(error))
          )
        )
        return Effect.sync(stop)
      })
  })
})

/** {@link make} as a layer. */
export const layer = (options?: NodeTransportOptions): Layer.Layer<Transport> => Layer.effect(Transport, make(options))

interface Address {
  readonly host: string
  readonly secure: boolean
  readonly options: Https.RequestOptions
}

const parse = (text: string): Address | undefined => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined
  const secure = url.protocol === "https:"
  return {
    host: url.host,
    secure,
    options: {
      protocol: url.protocol,
      // An IPv6 address stands in brackets in a URL only.
      hostname: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port === "" ? (secure ? 443 : 80) : url.port,
      path: `${url.pathname}${url.search}`
    }
  }
}

// As a list, which Node writes as it is; an object it would first copy, name by name.
const flatten = (host: string, { body, headers, method }: TransportRequest): Array<string> => {
  const list = ["host", headers["host"] ?? host]
  if (method !== "GET") list.push("content-length", String(body.byteLength))
  if (headers["accept-encoding"] === undefined) list.push("accept-encoding", "gzip")
  for (const name of Object.keys(headers)) {
    if (name !== "host" && name !== "content-length") list.push(name, headers[name]!)
  }
  return list
}

const exchange = (
  node: Modules,
  agents: { readonly "http:": Http.Agent; readonly "https:": Http.Agent },
  tls: Https.RequestOptions,
  address: Address | undefined,
  request: TransportRequest,
  succeed: (response: TransportResponse) => void,
  fail: (error: TransportError) => void
): () => void => {
  let settled = false
  let timer: NodeJS.Timeout | undefined
  let current: Http.ClientRequest | undefined

  const settle = (report: () => void): void => {
    if (settled) return
    settled = true
    clearTimeout(timer)
    report()
  }
  const giveUp = (error: TransportError): void =>
    settle(() => {
      current?.destroy()
      fail(error)
    })

  if (address === undefined) {
    giveUp(new TransportError({ reason: "response", detail: "the URL is not an absolute http: or https: URL" }))
    return () => {}
  }
  const { host, secure } = address
  const requestOptions: Https.RequestOptions = {
    ...address.options,
    ...(secure ? tls : undefined),
    method: request.method ?? "POST",
    headers: flatten(host, request)
  }

  const attempt = (fresh: boolean): void => {
    requestOptions.agent = fresh ? false : agents[secure ? "https:" : "http:"]
    const outgoing = (secure ? node.https : node.http).request(requestOptions)
    let answered = false
    current = outgoing
    outgoing.on("socket", release)
    outgoing.on("response", (incoming) => {
      answered = true
      const finish = (response: TransportResponse): void =>
        settle(() => {
          // An answer that came before the whole body was read: nothing of it may be sent later.
          if (!outgoing.writableFinished) outgoing.destroy()
          succeed(response)
        })
      receive(node, incoming, request.maxResponseBytes, finish, giveUp, host)
    })
    outgoing.on("upgrade", (_incoming, socket) => {
      socket.destroy()
      giveUp(new TransportError({ reason: "response", detail: `${host} switched protocols` }))
    })
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      if (settled || answered || outgoing !== current) return
      // The server closed the idle connection while the request was on its way: it has not seen the request.
      const isStale = outgoing.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE")
      if (isStale && !fresh) start(true)
      else giveUp(failure(error, host))
    })
    outgoing.end(request.method === "GET" ? undefined : request.body)
  }

  // A header or a certificate that Node refuses is thrown, not emitted.
  const start = (fresh: boolean): void => {
    try {
      attempt(fresh)
    } catch (error) {
      giveUp(failure(error as Failure, host))
    }
  }

  if (Number.isFinite(request.timeoutMillis)) {
    timer = setTimeout(() => {
      // After a blocked event loop the answer may be waiting to be read: one poll of the loop comes first.
      setImmediate(() =>
        giveUp(
          new TransportError({ reason: "timeout", detail: `no answer from ${host} in ${request.timeoutMillis} ms` })
        )
      )
    }, Math.min(request.timeoutMillis, 0x7fffffff))
    timer.unref()
  }
  start(false)
  return () =>
    settle(() => {
      current?.destroy()
    })
}

/** Who waits for an answer holds the process, and not the connection. */
const release = (socket: Net.Socket): void => {
  socket.unref()
  // The one of several addresses that answers brings a handle of its own.
  if (socket.connecting) socket.once("connect", () => socket.unref())
}

const receive = (
  node: Modules,
  incoming: Http.IncomingMessage,
  limit: number,
  succeed: (response: TransportResponse) => void,
  giveUp: (error: TransportError) => void,
  host: string
): void => {
  const chunks: Array<Uint8Array> = []
  let size = 0
  incoming.on("data", (chunk: Uint8Array) => {
    size += chunk.byteLength
    if (size > limit) giveUp(tooLarge(limit))
    else chunks.push(chunk)
  })
  const broken = (): void =>
    giveUp(
      new TransportError({ reason: "connect", detail: `${host} closed the connection before its answer was complete` })
    )
  incoming.on("error", broken)
  incoming.on("close", () => {
    if (!incoming.complete) broken()
  })
  incoming.on("end", () => {
    if (!incoming.complete) return broken()
    const headers = flatHeaders(incoming.headers)
    const status = incoming.statusCode ?? 0
    const body = Buffer.concat(chunks)
    if (headers["content-encoding"]?.trim().toLowerCase() !== "gzip") return succeed({ status, headers, body })
    node.zlib.gunzip(body, { maxOutputLength: limit }, (error, plain) => {
      if (error === null) succeed({ status, headers, body: plain })
      else if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") giveUp(tooLarge(limit))
      else succeed({ status, headers, body })
    })
  })
}
