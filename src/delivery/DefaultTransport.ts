import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import * as FetchTransport from "./FetchTransport.ts"
import * as NodeTransport from "./NodeTransport.ts"
import { Transport } from "./Transport.ts"

/** Options of {@link make}. */
export type DefaultTransportOptions = NodeTransport.NodeTransportOptions

/**
 * The transport that suits the runtime: `NodeTransport` where there is `node:http`, `FetchTransport` otherwise.
 *
 * **Gotchas**
 *
 * `fetch` takes no certificates. Where they are given and there is no `node:http`, that is reported once, and the
 * runtime's own rules hold.
 */
export const make = Effect.fnUntraced(function*(
  options?: DefaultTransportOptions
): Effect.fn.Return<Transport["Service"], never, Scope.Scope> {
  if (NodeTransport.isAvailable()) return yield* NodeTransport.make(options)
  if ((options?.certificate ?? options?.clientCertificate ?? options?.clientKey) !== undefined) {
    const diagnostics = yield* Diagnostics
    diagnostics.report("warn", "transport.tls", "certificates are ignored: this runtime sends with fetch")
  }
  return FetchTransport.make()
})

/** {@link make} as a layer. */
export const layer = (options?: DefaultTransportOptions): Layer.Layer<Transport> =>
  Layer.effect(Transport, make(options))
