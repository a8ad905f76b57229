/**
 * A service's side of the line to the demo that started it.
 */
import type { SignalSnapshot } from "effect-telemetry/diagnostics/Ledger"
import type { Peers } from "./shop.ts"

/** From a service to the demo. */
export type FromService =
  | { readonly type: "listening"; readonly url: string }
  | { readonly type: "ready" }
  | { readonly type: "stopped"; readonly books: SignalSnapshot }

/** From the demo to a service. */
export type ToService =
  | { readonly type: "peers"; readonly peers: Peers }
  | { readonly type: "stop" }

/** Where the demo receives spans. */
export const otlpEndpoint = process.env["SHOP_OTLP_ENDPOINT"] ?? "http://localhost:4318"

const next = <T extends ToService["type"]>(type: T): Promise<Extract<ToService, { readonly type: T }>> =>
  new Promise((resolve) => {
    const listen = (message: ToService): void => {
      if (message.type !== type) return
      process.off("message", listen)
      resolve(message as Extract<ToService, { readonly type: T }>)
    }
    process.on("message", listen)
  })

const tell = (message: FromService): Promise<void> =>
  new Promise((resolve, reject) => process.send!(message, (error: Error | null) => error ? reject(error) : resolve()))

// Without the demo nobody would ever stop the service.
const abandon = (): void => process.exit(1)
process.on("disconnect", abandon)

const stop = next("stop")

/** Says where the service listens; gives the addresses of the others. */
export const announce = async (url: string): Promise<Peers> => {
  const peers = next("peers")
  await tell({ type: "listening", url })
  return (await peers).peers
}

/** Says that requests may come; resolves when the service should stop. */
export const untilStopped = async (): Promise<void> => {
  await tell({ type: "ready" })
  await stop
}

/** Hands over the books, and lets go of the demo: from here the process ends when nothing is left to do. */
export const signOff = async (books: SignalSnapshot): Promise<void> => {
  await tell({ type: "stopped", books })
  process.off("disconnect", abandon)
  process.disconnect()
}
