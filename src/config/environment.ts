/**
 * Where variables are read from.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

interface Process {
  readonly env?: Environment | undefined
  readonly execPath?: string | undefined
}

const host = (): Process | undefined => (globalThis as { readonly process?: Process }).process

// Some runtimes have no process, and some ask for permission and throw.
const guarded = <A>(read: () => A | undefined): A | undefined => Option.getOrUndefined(Option.liftThrowable(read)())

const snapshot = (env: Environment, names: ReadonlyArray<string>): Environment => {
  const values: Record<string, string | undefined> = Object.create(null)
  for (const name of names) values[name] = guarded(() => env[name])
  return values
}

/** The named variables of this process; none where there is no process. */
export const ofProcess = (names: ReadonlyArray<string>): Environment =>
  snapshot(guarded(() => host()?.env) ?? {}, names)

/** `unknown_service:` and the executable's name, or `unknown_service` where that is unknown. */
export const unknownService = (): string => {
  const path = guarded(() => host()?.execPath) ?? ""
  const name = path.split(/[\\/]/).at(-1)!.replace(/\.exe$/i, "")
  return name === "" ? "unknown_service" : `unknown_service:${name}`
}

// The same key as `ConfigProvider.ConfigProvider`, without its default: present only where a provider was given.
const GivenProvider = Context.Service<ConfigProvider.ConfigProvider, ConfigProvider.ConfigProvider>(
  ConfigProvider.ConfigProvider.key
)

/** What could not be read from a provider. */
export interface Unreadable {
  readonly variable: string
  readonly reason: string
}

const scalar = (node: ConfigProvider.Node | undefined): string | undefined => node?.value

/**
 * The named variables: from the `ConfigProvider` in context where one was given, otherwise from this process. A variable
 * that the provider fails to read is unset and told.
 */
export const load = (
  names: ReadonlyArray<string>
): Effect.Effect<{ readonly env: Environment; readonly unreadable: ReadonlyArray<Unreadable> }> =>
  Effect.withFiber((fiber) => {
    const provider = Context.getOrUndefined(fiber.context, GivenProvider)
    if (provider === undefined) return Effect.succeed({ env: ofProcess(names), unreadable: [] })
    const unreadable: Array<Unreadable> = []
    const failed = (variable: string, reason: string) => {
      unreadable.push({ variable, reason })
      return [variable, undefined] as const
    }
    return Effect.forEach(names, (variable) =>
      Effect.matchCause(provider.load([variable]), {
        onFailure: () => failed(variable, "the ConfigProvider failed to read it"),
        onSuccess: (node) =>
          node !== undefined && scalar(node) === undefined
            ? failed(variable, "the ConfigProvider has no text for it")
            : [variable, scalar(node)] as const
      })).pipe(Effect.map((entries) => ({ env: Object.fromEntries(entries), unreadable })))
  })
