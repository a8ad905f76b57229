/** A sampling configuration that a server has, asked for again and again. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as DefaultTransport from "../delivery/DefaultTransport.ts"
import * as RequestHeaders from "../delivery/RequestHeaders.ts"
import { Transport, type TransportResponse } from "../delivery/Transport.ts"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { optionalService } from "../internal/optionalService.ts"
import { randomWord } from "../internal/random.ts"
import { maxConfigBytes } from "./configFile.ts"
import type { ConfigSource } from "./configSource.ts"
import { decodeText, defaultSamplingConfig, type SamplingConfig, SamplingConfigError } from "./SamplingConfig.ts"

/** The server, and how often it is asked. */
export interface UrlOptions {
  readonly url: string
  /** Sent with every request. Credentials go to another machine over `https:` only. */
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted<string>>> | undefined
  /** How long a change may go unseen, give or take a tenth. Default 30 seconds. */
  readonly interval?: Duration.Input | undefined
  /** How long one answer may take, and the layer may wait for the first one. Default 5 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** Most bytes of an answer, after decompression. Default 1 MiB. */
  readonly maxBytes?: number | undefined
  /** In force until the first good answer. Default: `SamplingConfig.defaultSamplingConfig`. */
  readonly fallback?: SamplingConfig | undefined
}

/** Where `fallback` is not stated. */
export const defaultFallback = defaultSamplingConfig

const decoder = /* @__PURE__ */ new TextDecoder()

const shown = (url: string): string => {
  if (!URL.canParse(url)) return "an invalid URL"
  const { host, pathname, protocol } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

/** Why no request is sent at all. */
const obstacle = (url: string, headers: RequestHeaders.RequestHeaders): string | undefined => {
  if (!URL.canParse(url)) return "it is no absolute URL"
  const { hostname, password, protocol, username } = new URL(url)
  if (protocol !== "http:" && protocol !== "https:") return "it is neither http: nor https:"
  if (username !== "" || password !== "") return "credentials belong into `headers`, not into the URL"
  return protocol === "http:" && headers.secretNames.length > 0 && !RequestHeaders.isLoopback(hostname)
    ? `the header ${JSON.stringify(headers.secretNames[0])} would be sent to another machine in clear text; use https:`
    : undefined
}

/**
 * The server of `options` as a source.
 *
 * **Details**
 *
 * Each answer's entity tag is sent with the next question, so that a server that has nothing new says only that
 * (RFC 9110, 13.1.2). Redirects are not followed. Any other status than 200 and 304 is a failure, and so is what cannot
 * be decoded.
 */
export const make = Effect.fnUntraced(function*(
  options: UrlOptions
): Effect.fn.Return<ConfigSource, SamplingConfigError, Scope.Scope> {
  const diagnostics = yield* Diagnostics
  const name = shown(options.url)
  const fail = (reason: string): SamplingConfigError => new SamplingConfigError({ source: name, reason })
  const headers = RequestHeaders.make(options.headers ?? {}, "sampling configuration", diagnostics)
  const reason = obstacle(options.url, headers)
  if (reason !== undefined) return yield* fail(reason)

  const transport = (yield* optionalService(Transport)) ?? (yield* DefaultTransport.make())
  const interval = Math.max(1_000, Duration.toMillis(Duration.fromInputUnsafe(options.interval ?? "30 seconds")))
  const timeoutMillis = Duration.toMillis(Duration.fromInputUnsafe(options.timeout ?? "5 seconds"))
  let tag: string | undefined
  // A server that has nothing new also has nothing better.
  let refused: SamplingConfigError | undefined

  const taken = (response: TransportResponse): Effect.Effect<SamplingConfig | undefined, SamplingConfigError> => {
    if (response.status === 304 && tag !== undefined) {
      return refused === undefined ? Effect.succeed(undefined) : Effect.fail(refused)
    }
    if (response.status !== 200) {
      const isRedirect = response.status >= 300 && response.status < 400 && response.status !== 304
      return Effect.fail(
        fail(`the server answered with status ${response.status}${isRedirect ? ", redirects are not followed" : ""}`)
      )
    }
    tag = response.headers["etag"]
    return Effect.fromResult(decodeText(decoder.decode(response.body), name)).pipe(
      Effect.tap(() => Effect.sync(() => refused = undefined)),
      Effect.tapError((error) => Effect.sync(() => refused = error))
    )
  }
  const ask = Effect.suspend(() =>
    transport.send({
      url: options.url,
      method: "GET",
      headers: {
        accept: "application/json",
        ...headers.values,
        ...tag === undefined ? {} : { "if-none-match": tag }
      },
      body: new Uint8Array(),
      timeoutMillis,
      maxResponseBytes: options.maxBytes ?? maxConfigBytes
    })
  )
  return {
    name,
    // Many processes that started together ask at different times before long.
    interval: Effect.sync(() => interval * (0.9 + (randomWord() >>> 0) / 2 ** 32 / 5)),
    poll: ask.pipe(Effect.mapError((error) => fail(error.message)), Effect.flatMap(taken))
  }
})
