import type * as Tracer from "effect/Tracer"
import { type Environment, ofProcess } from "../context/EnvironmentCarrier.ts"
import * as carrier from "../tracing/carrier.ts"
import { current } from "./registry.ts"
import { ambientBaggage, ambientSpan } from "./trace.ts"

/**
 * The environment for a process to be started: a copy of `env` (default: that of this process) with the current context
 * in the place of any that it had (`context/env-carriers.md`). `env` itself is not changed.
 */
export const injectEnvironment = (env: Environment = ofProcess()): Record<string, string> => {
  const core = current()?.core
  if (core === undefined) {
    return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined))
  }
  return carrier.injectEnvironment(core, ambientSpan(), ambientBaggage(), env)
}

/** The remote parent that variables carry, by default those of this process; `undefined` when they carry none. */
export const extractEnvironment = (env: Environment = ofProcess()): Tracer.ExternalSpan | undefined => {
  const core = current()?.core
  return core === undefined ? undefined : carrier.extractEnvironment(core.options.propagator, env).parent
}
