/**
 * The hostile server, a process of its own: a stage for each run of a contender, on a port of loopback, that misbehaves
 * as its fault says until it is healed, and remembers what came.
 */
import * as http from "node:http"
import * as http2 from "node:http2"
import * as https from "node:https"
import type { AddressInfo, Server, Socket } from "node:net"
import * as Result from "effect/Result"
import * as OtlpDecoder from "effect-telemetry/otlp/OtlpDecoder"
import * as blackhole from "../../test/integration/blackhole.ts"
import { serverCertificate, serverKey } from "../../test/integration/certificates.ts"
import { accept, type Exchange, type Fault, faults, type Handler } from "./faults.ts"
import { type Answer, type Arrival, type Ask, now, type StageLog } from "./protocol.ts"

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen({ port, host: "127.0.0.1" }, () => resolve((server.address() as AddressInfo).port))
  })

const spansOf = (type: string, body: Buffer): Arrival["spans"] => {
  const decoded = OtlpDecoder.decode(type, body)
  return Result.isFailure(decoded)
    ? []
    : decoded.success.map(({ endTimeUnixNano, name, startTimeUnixNano }) => [
      name,
      Number(endTimeUnixNano - startTimeUnixNano) / 1e9
    ])
}

interface Kept {
  readonly at: number
  readonly type: string
  readonly body: Buffer
  taken: boolean
}

class Stage {
  readonly #fault: Fault
  readonly #kept: Array<Kept> = []
  readonly #sockets = new Set<Socket>()
  readonly #perConnection = new WeakMap<Socket, number>()
  readonly #servers: Array<Server> = []
  readonly #closers: Array<() => void> = []
  #left: number
  #healed = false
  #requests = 0
  #connections = 0
  #redirected = 0
  #leaked = false
  #port = 0
  #elsewhere = ""

  constructor(fault: Fault) {
    this.#fault = fault
    this.#left = fault.times ?? Infinity
  }

  get endpoint(): string {
    return `${this.#fault.listening === "https" ? "https" : "http"}://127.0.0.1:${this.#port}`
  }

  async open(): Promise<void> {
    const { listening = "http" } = this.#fault
    const target = http.createServer((request, response) => {
      this.#redirected++
      if (request.headers["x-api-key"] !== undefined) this.#leaked = true
      request.resume().on("end", () => response.writeHead(200).end())
    })
    this.#elsewhere = `http://127.0.0.1:${await listen(this.#watch(target), 0)}/v1/traces`
    if (listening === "nobody") {
      // A port of the machine's choice, left again.
      const server = http.createServer()
      this.#port = await listen(server, 0)
      await new Promise((resolve) => server.close(resolve))
      return
    }
    const server = listening === "https"
      ? https.createServer({ cert: serverCertificate, key: serverKey }, this.#listener)
      : listening === "http2"
      ? http2.createServer()
      : http.createServer(this.#listener)
    await this.#serve(server)
    if (listening === "blackhole") this.#closers.push(await blackhole.open(this.#port))
  }

  async heal(): Promise<void> {
    this.#healed = true
    const { listening = "http" } = this.#fault
    for (const close of this.#closers.splice(0)) close()
    if (listening === "http2") {
      await Promise.all(this.#servers.splice(0).map((server) => this.#stop(server)))
    }
    if (listening === "nobody" || listening === "http2") await this.#serve(http.createServer(this.#listener))
  }

  log(): StageLog {
    return {
      connections: this.#connections,
      requests: this.#requests,
      arrivals: this.#kept.map(({ at, body, taken, type }) => ({ at, taken, spans: spansOf(type, body) })),
      redirected: this.#redirected,
      leaked: this.#leaked
    }
  }

  async close(): Promise<void> {
    for (const close of this.#closers) close()
    await Promise.all(this.#servers.map((server) => this.#stop(server)))
  }

  async #serve(server: Server): Promise<void> {
    this.#port = await listen(this.#watch(server), this.#port)
  }

  #watch(server: Server): Server {
    this.#servers.push(server)
    // No connection is closed but by a fault.
    if ("keepAliveTimeout" in server) Object.assign(server, { keepAliveTimeout: 3_600_000, requestTimeout: 0 })
    server.on("connection", (socket: Socket) => {
      if (server !== this.#servers[0]) this.#connections++
      this.#sockets.add(socket)
      socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket))
    })
    return server.on("tlsClientError", () => {})
  }

  #stop(server: Server): Promise<void> {
    return new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of this.#sockets) socket.destroy()
    })
  }

  readonly #listener = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    this.#requests++
    const { socket } = request
    const onConnection = this.#perConnection.get(socket) ?? 0
    this.#perConnection.set(socket, onConnection + 1)
    const isFaulty = !this.#healed && this.#left > 0
    if (isFaulty) this.#left--
    const handle: Handler = isFaulty ? this.#fault.handle ?? accept : accept
    const isEarly = isFaulty && this.#fault.early === true
    const chunks: Array<Buffer> = []
    let kept: Kept | undefined
    const exchange: Exchange = {
      request,
      response,
      socket,
      onConnection,
      elsewhere: this.#elsewhere,
      take: () => {
        if (kept !== undefined) kept.taken = true
      }
    }
    request.on("error", () => {})
    response.on("error", () => {})
    if (isEarly) handle(exchange)
    else request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      if (isEarly) return
      kept = { at: now(), type: request.headers["content-type"] ?? "", body: Buffer.concat(chunks), taken: false }
      this.#kept.push(kept)
      handle(exchange)
    })
  }
}

const stages = new Map<number, Stage>()
let nextStage = 1

const answer = async (ask: Ask): Promise<Omit<Answer, "id">> => {
  if (ask.tag === "open") {
    const fault = faults[ask.fault]
    if (fault === undefined) throw new Error(`there is no fault ${ask.fault}`)
    const stage = new Stage(fault)
    await stage.open()
    stages.set(nextStage, stage)
    return { stage: nextStage++, endpoint: stage.endpoint }
  }
  const stage = stages.get(ask.stage)!
  if (ask.tag === "log") return { log: stage.log() }
  if (ask.tag === "heal") await stage.heal()
  else {
    await stage.close()
    stages.delete(ask.stage)
  }
  return {}
}

process.on("message", (ask: Ask) => {
  const say = (rest: Omit<Answer, "id">) => void process.send!({ id: ask.id, ...rest })
  answer(ask).then(say, (error: unknown) => say({ error: String(error) }))
})
process.on("disconnect", () => {
  for (const stage of stages.values()) void stage.close()
  process.exit()
})
