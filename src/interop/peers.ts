/** The packages of OpenTelemetry JavaScript that are optional: whether they are there, and how they are loaded. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { nodeBuiltin } from "../internal/nodeBuiltin.ts"

/** A package that is needed here and is not installed. */
export class MissingPeerError extends Data.TaggedError("MissingPeerError")<{
  /** The package. */
  readonly peer: string
  /** What it is needed for. */
  readonly purpose: string
  readonly cause: unknown
}> {
  override get message(): string {
    return `${this.purpose} needs ${this.peer}, which is not installed: npm install ${this.peer}`
  }
}

/** Loads an optional package. A bundler does not follow it. */
export const load = (peer: string, purpose: string): Effect.Effect<unknown, MissingPeerError> =>
  Effect.tryPromise({
    try: () => import(/* @vite-ignore */ /* webpackIgnore: true */ peer) as Promise<unknown>,
    catch: (cause) => new MissingPeerError({ peer, purpose, cause })
  })

interface Module {
  readonly createRequire: (from: string) => { readonly resolve: (name: string) => string }
}

/** Whether a package can be loaded from here. `false` where that cannot be told without loading it. */
export const isInstalled = (peer: string): boolean => {
  try {
    nodeBuiltin<Module>("module")!.createRequire(import.meta.url).resolve(peer)
    return true
  } catch {
    return false
  }
}
