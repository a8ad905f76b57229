import type * as Tracer from "effect/Tracer"
import * as AsyncContext from "../context/AsyncContext.ts"
import { type Environment, ofProcess } from "../context/EnvironmentCarrier.ts"
import * as carrier from "../tracing/carrier.ts"
import { ambientSpan } from "./ambient.ts"
import { runWithBaggage } from "./baggage.ts"
import { current } from "./registry.ts"
import { baggageAround } from "./spans.ts"

/**
 * The headers that carry the current context to another process; empty outside any span. With a URL, as many of them as
 * its host may be sent (`propagateTo`, `propagateBaggageTo`).
 */
export const inject = (to?: string | URL): Record<string, string> => {
  const core = current()?.core
  if (core === undefined) return {}
  const span = ambientSpan()
  return carrier.injectSpan(core, span, baggageAround(span), to)
}

/** Headers as Node gives them: names in lower case, a list for what came several times. */
export type IncomingHeaders = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

/**
 * The remote parent that incoming headers carry, for `parent`; `undefined` when they carry none. Names are matched in
 * lower case, as Node gives them.
 *
 * **Details**
 *
 * With `trustIncoming: "edge"` it stands for a new trace with a link to that parent; with `false` there never is one.
 */
export const extract = (headers: IncomingHeaders): Tracer.ExternalSpan | undefined => {
  const core = current()?.core
  return core === undefined ? undefined : carrier.extractContext(core, headers).parent
}

/**
 * Runs `fn` within the context that incoming headers carry: spans that it starts are children of their remote parent, and
 * their baggage is current, also where they carry nothing else.
 *
 * **Details**
 *
 * Headers that carry no context change nothing. `trustIncoming` holds as for {@link extract}.
 */
export const withHeaders = <A>(headers: IncomingHeaders, fn: () => A): A => {
  const core = current()?.core
  if (core === undefined) return fn()
  const { baggage, parent } = carrier.extractContext(core, headers)
  const within = (): A => baggage === undefined ? fn() : runWithBaggage(baggage, fn)
  return parent === undefined ? within() : AsyncContext.runWith(parent, within, undefined)
}

/**
 * The environment for a process to be started: a copy of `env` (default: that of this process) with the current context
 * in the place of any that it had (`context/env-carriers.md`). `env` itself is not changed.
 */
export const injectEnvironment = (env: Environment = ofProcess()): Record<string, string> => {
  const core = current()?.core
  if (core === undefined) {
    return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined))
  }
  const span = ambientSpan()
  return carrier.injectEnvironment(core, span, baggageAround(span), env)
}

/** The remote parent that variables carry, by default those of this process; `undefined` when they carry none. */
export const extractEnvironment = (env: Environment = ofProcess()): Tracer.ExternalSpan | undefined => {
  const core = current()?.core
  return core === undefined ? undefined : carrier.extractEnvironment(core.options.propagator, env).parent
}
