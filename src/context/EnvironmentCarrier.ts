/**
 * Environment variables as a carrier: how a context reaches a process that is started (`context/env-carriers.md`).
 *
 * **Details**
 *
 * A name is written in upper case, with `_` for whatever is no letter or digit: `TRACEPARENT`, `TRACESTATE`, `BAGGAGE`.
 * A value is what the header's would be, within the header's bounds, whole entries left out from the end.
 *
 * **Gotchas**
 *
 * Other processes of the user may read the environment. It is no place for secrets.
 */
import type { TextMapGetter, TextMapSetter } from "./TextMap.ts"

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The variables of this process; none where there is no process, or no permission to read them. */
export const ofProcess = (): Environment => {
  try {
    return (globalThis as { readonly process?: { readonly env?: Environment } }).process?.env ?? {}
  } catch {
    return {}
  }
}

/** The variable that carries the header `name`. */
export const variableName = (name: string): string => {
  const variable = name.toUpperCase().replace(/[^A-Z0-9_]/g, "_")
  return /^\d/.test(variable) ? `_${variable}` : variable
}

/** Reads variables as headers. */
export const fromEnvironment = (env: Environment): TextMapGetter => ({
  get(name) {
    const variable = variableName(name)
    return Object.hasOwn(env, variable) ? env[variable] : undefined
  },
  keys: () => Object.keys(env).map((variable) => variable.toLowerCase().replaceAll("_", "-"))
})

/** Writes headers as variables. */
export const setter = (env: Record<string, string | undefined>): TextMapSetter => (name, value) => {
  env[variableName(name)] = value
}
