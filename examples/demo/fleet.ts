/** The service processes: started together, stopped one by one, and never left behind. */
import type { SignalSnapshot } from "effect-telemetry/diagnostics/Ledger"
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { FromService, ToService } from "./channel.ts"
import { type Peers, type ServiceName, services } from "./shop.ts"

export interface Fleet {
  readonly peers: Peers
  /** Asks a service to stop; its books, once it has sent everything and its process is gone. */
  readonly stop: (service: ServiceName) => Promise<SignalSnapshot>
  /** Ends what still runs. */
  readonly kill: () => void
}

/** The environment without `OTEL_*`, which would configure the services in ways the demo does not expect. */
const environment = (otlpEndpoint: string): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("OTEL_"))),
  SHOP_OTLP_ENDPOINT: otlpEndpoint
})

interface Running {
  readonly child: ChildProcess
  readonly exited: Promise<number | null>
  readonly hear: <T extends FromService["type"]>(type: T) => Promise<Extract<FromService, { readonly type: T }>>
  readonly tell: (message: ToService) => void
}

const start = (service: ServiceName, otlpEndpoint: string): Running => {
  // The flags of this process (how it runs TypeScript) are those of the service.
  const child = fork(fileURLToPath(new URL(`./${service}.ts`, import.meta.url)), { env: environment(otlpEndpoint) })
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve))
  const heard = new Map<string, FromService>()
  const waiting = new Map<string, (message: FromService) => void>()
  child.on("message", (message: FromService) => {
    heard.set(message.type, message)
    waiting.get(message.type)?.(message)
  })
  // A broken line shows itself as an exit.
  child.on("error", () => {})
  return {
    child,
    exited,
    hear: (type) =>
      new Promise((resolve, reject) => {
        const done = resolve as (message: FromService) => void
        const message = heard.get(type)
        if (message !== undefined) return done(message)
        waiting.set(type, done)
        void exited.then((code) =>
          reject(new Error(`the ${service} service ended (exit ${code}) before it was ${type}`))
        )
      }),
    tell: (message) => void child.send(message)
  }
}

export const startFleet = async (otlpEndpoint: string, onKill: (kill: () => void) => void): Promise<Fleet> => {
  const fleet = Object.fromEntries(
    services.map((service) => [service, start(service, otlpEndpoint)])
  ) as Record<ServiceName, Running>
  const kill = (): void => {
    for (const service of services) fleet[service].child.kill("SIGKILL")
  }
  onKill(kill)

  const each = <A>(use: (running: Running) => Promise<A>) => Promise.all(services.map((service) => use(fleet[service])))
  const listening = await each(({ hear }) => hear("listening"))
  const peers = Object.fromEntries(services.map((service, i) => [service, listening[i]!.url])) as Record<
    ServiceName,
    string
  >
  for (const service of services) fleet[service].tell({ type: "peers", peers })
  await each(({ hear }) => hear("ready"))

  return {
    peers,
    stop: async (service) => {
      const { exited, hear, tell } = fleet[service]
      tell({ type: "stop" })
      const { books } = await hear("stopped")
      const code = await exited
      if (code !== 0) throw new Error(`the ${service} service ended with exit ${code}`)
      return books
    },
    kill
  }
}
