/**
 * Samples as a Jaeger backend says (`trace/sdk.md#jaegerremotesampler`): its sampling endpoint is asked again and again for
 * the strategies of this service.
 *
 * **Details**
 *
 * The endpoint is the one over HTTP that answers in JSON, as `http://localhost:5778/sampling` of a collector or an agent.
 * Strategies are a probability, a number of traces per second, or a probability for each operation (the name of a span)
 * with a lower bound in traces per second. Weights are known in each case.
 *
 * Until the first good answer `initialSampler` decides. What cannot be had or used leaves the last good strategies in
 * force, with one line that says why, and another when it is good again. Requests are not traced, are bounded in time and
 * bytes, and keep no process alive.
 *
 * **Example**
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { JaegerRemoteSampler, Sampler } from "effect-telemetry"
 *
 * export const sampling = Layer.effect(
 *   Sampler.Sampler,
 *   Effect.map(
 *     JaegerRemoteSampler.make({ endpoint: "http://localhost:5778/sampling", serviceName: "shop" }),
 *     (root) => Sampler.parentBased({ root })
 *   )
 * )
 * ```
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as DefaultTransport from "../delivery/DefaultTransport.ts"
import { Transport } from "../delivery/Transport.ts"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { sleepUnref } from "../internal/clock.ts"
import { optionalService } from "../internal/optionalService.ts"
import { read, toSampler } from "./jaegerStrategy.ts"
import * as Sampler from "./Sampler.ts"

/** The endpoint, and how often it is asked. */
export interface Options {
  /** An `http:` or `https:` URL. Where it has no path, `/sampling` is asked. Default `http://localhost:5778/sampling`. */
  readonly endpoint?: string | undefined
  /** Whose strategies. Default `unknown_service`. */
  readonly serviceName?: string | undefined
  /** How long until it is asked again, one second at least. Default 1 minute. */
  readonly pollingInterval?: Duration.Input | undefined
  /** Decides until the first good answer. Default: a probability of 0.001. */
  readonly initialSampler?: Sampler.SamplerShape | undefined
  /** How long an answer may take. Default 5 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** Most bytes of an answer. Default 1 MiB. */
  readonly maxBytes?: number | undefined
}

/** Where a sampling endpoint is found by default. */
export const defaultEndpoint = "http://localhost:5778/sampling"

/** The probability until the first answer, as in Jaeger's own clients. */
export const initialProbability = 0.001

const millisOf = (input: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(input))

/** The URL that is asked, or why none can be. */
const urlOf = (endpoint: string, serviceName: string): Result.Result<URL, string> => {
  if (!URL.canParse(endpoint)) return Result.fail("is no URL")
  const url = new URL(endpoint)
  if (url.protocol !== "http:" && url.protocol !== "https:") return Result.fail("is neither http: nor https:")
  if (url.username !== "" || url.password !== "") return Result.fail("has credentials, which are not sent")
  if (url.pathname === "/") url.pathname = "/sampling"
  url.searchParams.set("service", serviceName)
  url.hash = ""
  return Result.succeed(url)
}

const decoder = new TextDecoder()

const parse = (text: string): Result.Result<unknown, string> =>
  Result.try({ try: (): unknown => JSON.parse(text), catch: () => "it is no JSON" })

/**
 * Makes the sampler, and a fiber that asks until the scope closes. Does not wait for the first answer.
 *
 * **Gotchas**
 *
 * An endpoint that cannot be asked at all is told once, and `initialSampler` stays in force.
 */
export const make = Effect.fnUntraced(function*(
  options?: Options
): Effect.fn.Return<Sampler.SamplerShape, never, Scope.Scope> {
  const diagnostics = yield* Diagnostics
  const endpoint = options?.endpoint ?? defaultEndpoint
  let current = options?.initialSampler ?? Sampler.probability(initialProbability)
  const sampler: Sampler.SamplerShape = {
    get description() {
      return `JaegerRemote{${current.description}}`
    },
    decide: (input) => current.decide(input),
    decideByParent: (parent) => current.decideByParent?.(parent)
  }
  const found = urlOf(endpoint, options?.serviceName ?? "unknown_service")
  if (Result.isFailure(found)) {
    diagnostics.report(
      "error",
      "sampler.jaeger",
      `the endpoint of the Jaeger sampler ${found.failure}; it is not asked`
    )
    return sampler
  }
  const url = found.success
  const shown = `${url.protocol}//${url.host}${url.pathname}`
  const transport = (yield* optionalService(Transport)) ?? (yield* DefaultTransport.make())
  const interval = Math.max(1_000, millisOf(options?.pollingInterval ?? "1 minute"))
  const timeoutMillis = millisOf(options?.timeout ?? "5 seconds")
  let lastBody: string | undefined
  let trouble: string | undefined

  const take = (body: string): Effect.Effect<string | undefined> => {
    // The same strategies again: samplers that count go on counting.
    if (body === lastBody) return Effect.succeed(undefined)
    const parsed = parse(body)
    if (Result.isFailure(parsed)) return Effect.succeed(parsed.failure)
    const strategies = read(parsed.success)
    if (typeof strategies === "string") return Effect.succeed(strategies)
    return Effect.map(toSampler(strategies), (sampler) => {
      current = sampler
      lastBody = body
      return undefined
    })
  }
  const tell = (reason: string | undefined): void => {
    if (reason === trouble) return
    if (reason === undefined) {
      diagnostics.report("info", "sampler.jaeger.good", `the sampling strategies of ${shown} are good again`)
      trouble = undefined
      return
    }
    const isSilenced = diagnostics.isSilenced?.("sampler.jaeger") === true
    const inForce = lastBody === undefined ? "the initial sampler stays in force" : "the last good ones stay in force"
    diagnostics.report("error", "sampler.jaeger", `no sampling strategies from ${shown}: ${reason}; ${inForce}`)
    // A line that was kept back is tried again with the next answer.
    trouble = isSilenced ? "" : reason
  }
  const ask = Effect.suspend(() =>
    transport.send({
      url: url.href,
      method: "GET",
      headers: { accept: "application/json" },
      body: new Uint8Array(),
      timeoutMillis,
      maxResponseBytes: options?.maxBytes ?? 1_048_576
    })
  ).pipe(
    Effect.matchEffect({
      onFailure: (error) => Effect.succeed<string | undefined>(error.message),
      onSuccess: ({ body, status }) =>
        status === 200 ? take(decoder.decode(body)) : Effect.succeed(`it answered with status ${status}`)
    }),
    Effect.map(tell),
    Effect.withTracerEnabled(false)
  )
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(ask, Effect.suspend(() => sleepUnref(interval)))))
  return sampler
})
