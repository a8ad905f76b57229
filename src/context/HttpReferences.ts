/**
 * The services of `effect/http` that tracing looks at, by their keys. Naming them here keeps the module itself, which is
 * unstable and large, out of every program that does not use it.
 */
import * as Context from "effect/Context"

/** What tracing reads of an incoming request. */
export interface IncomingRequest {
  readonly method: string
  /** Path, query and fragment, with or without scheme and host before them. */
  readonly url: string
  /** Header names in lower case; repeated headers are joined with `, `. */
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** `effect/http/HttpServerRequest`. */
export const HttpServerRequest: Context.Service<IncomingRequest, IncomingRequest> = Context.Service<IncomingRequest>(
  "effect/http/HttpServerRequest"
)

/** `effect/http/FetchHttpClient`'s `Fetch`. */
export const Fetch: Context.Reference<typeof globalThis.fetch> = Context.Reference<typeof globalThis.fetch>(
  "effect/http/FetchHttpClient/Fetch",
  { defaultValue: () => globalThis.fetch }
)
