/**
 * The current span of plain asynchronous code, followed by the platform's `AsyncLocalStorage`, and kept in step with the
 * fiber.
 *
 * **Details**
 *
 * One storage for the process, since a context has to be seen by whoever asks. Where the platform has none, nothing is
 * followed across `await`, and spans are parented explicitly.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { AsyncLocalStorage } from "node:async_hooks"
import type { AnySpan, EffectPrimitive } from "effect/Tracer"
import { nodeBuiltin } from "../internal/nodeBuiltin.ts"
import type { Baggage } from "../model/Baggage.ts"

/** A current span, and what another library has laid around the code with it. */
export abstract class Ambient {
  abstract readonly span: AnySpan | undefined
  /** Baggage that goes with the span, where that has none of its own. */
  abstract readonly baggage: Baggage | undefined
  /** Whether spans that are started here shall not be recorded. */
  abstract readonly isSuppressed: boolean
  /** The same with another current span. */
  abstract within(span: AnySpan): Ambient
  /** The same with other baggage. */
  abstract withBaggage(baggage: Baggage): Ambient
}

/** What plain code has laid around the code that it runs. */
export type Store = AnySpan | Ambient

let storage: AsyncLocalStorage<Store | undefined> | undefined
/**
 * The fiber that has entered the innermost {@link run} of this stack. There the storage is ahead of the fiber, whose span
 * is the one around the effect that runs this code.
 */
let enteredBy: Fiber.Fiber<unknown, unknown> | undefined

const open = (): AsyncLocalStorage<Store | undefined> | undefined => {
  if (storage !== undefined) return storage
  const hooks = nodeBuiltin<typeof import("node:async_hooks")>("async_hooks")
  return storage = hooks === undefined ? undefined : new hooks.AsyncLocalStorage<Store | undefined>()
}

/** The fiber that runs this code, unless plain code within it has a context of its own. */
const innermostFiber = (): Fiber.Fiber<unknown, unknown> | undefined => {
  const fiber = Fiber.getCurrent()
  return fiber === enteredBy ? undefined : fiber
}

// Without another library there is none, and no span pays for a look.
let isAmbientUsed = false

/** What another library has laid around this code, if that is what is innermost. */
export const ambient = (): Ambient | undefined => {
  if (!isAmbientUsed) return undefined
  const store = stored()
  return store instanceof Ambient ? store : undefined
}

/** What plain code laid around this code, or `undefined`. */
export const stored = (): Store | undefined => storage?.getStore()

/** The span that plain code runs in, whatever fiber runs it; `undefined` outside. */
export const storedSpan = (): AnySpan | undefined => {
  const store = storage?.getStore()
  return store instanceof Ambient ? store.span : store
}

/**
 * The span in which an effect runs whose fiber is in `span`: what plain code has laid around the fiber, if that was done
 * within `span`.
 *
 * **Details**
 *
 * Plain code that runs an effect with a context which it took from an effect further out (`Effect.runPromiseWith`) has
 * spans of its own between the two.
 */
export const innermost = (span: AnySpan | undefined): AnySpan | undefined => {
  const stored = storedSpan()
  if (stored === undefined || stored === span) return span
  if (span === undefined) return stored
  for (let above = parentOf(stored); above !== undefined; above = parentOf(above)) {
    if (above === span) return stored
  }
  return span
}

const parentOf = (span: AnySpan): AnySpan | undefined =>
  span._tag === "Span" ? Option.getOrUndefined(span.parent) : undefined

/** The span that this code runs in, of a fiber or of plain code, whichever is further inside. */
export const currentSpan = (): AnySpan | undefined => innermostFiber()?.cache.span ?? storedSpan()

/** The span of the fiber that runs this code, where plain code within it has no context of its own. */
export const fiberSpan = (): AnySpan | undefined => innermostFiber()?.cache.span

/** Runs `fn(argument)` with `span` as the current span of everything it calls, awaits and schedules. */
export const runWith = <A, B>(span: AnySpan, fn: (argument: B) => A, argument: B): A =>
  run(ambient()?.within(span) ?? span, fn, argument)

/** Runs `fn` with `store` around everything it calls, awaits and schedules; `undefined`: with nothing around it. */
export const run = <A, B = undefined>(store: Store | undefined, fn: (argument: B) => A, argument?: B): A => {
  const storage = open()
  if (storage === undefined) return fn(argument as B)
  if (store instanceof Ambient) isAmbientUsed = true
  const before = enteredBy
  enteredBy = Fiber.getCurrent()
  try {
    return storage.run(store, fn, argument as B)
  } finally {
    enteredBy = before
  }
}

const evaluate = "~effect/Effect/evaluate"
const identifier = "~effect/Effect/identifier"

/**
 * What a tracer does with each primitive of a fiber (`Tracer.context`), so that the plain code that a fiber waits for runs
 * in the fiber's span: after its first `await`, in its timers and listeners, and in fibers that it starts.
 *
 * **Details**
 *
 * The storage is entered for the primitives by which a fiber waits for a callback or a promise, and for no other: what
 * those cost is not seen beside it, while all others cost a few nanoseconds each. A promise that is started within
 * `Effect.sync`, which nobody waits for, has the context in which the fiber was started.
 */
export const makeFollower = ():
  | (<X>(primitive: EffectPrimitive<X>, fiber: Fiber.Fiber<unknown, unknown>) => X)
  | undefined =>
{
  const storage = open()
  if (storage === undefined) return undefined
  const asynchronous = identifierOf(Effect.never)
  const enter = <X>(primitive: EffectPrimitive<X>, fiber: Fiber.Fiber<unknown, unknown>): X => {
    const { span } = fiber.cache
    if (span === undefined) return primitive[evaluate](fiber)
    const store = storage.getStore()
    if (store === span || (store instanceof Ambient && store.span === span)) return primitive[evaluate](fiber)
    return storage.run(store instanceof Ambient ? store.within(span) : span, straight, primitive, fiber) as X
  }
  return (primitive, fiber) =>
    identifierOf(primitive) === asynchronous ? enter(primitive, fiber) : primitive[evaluate](fiber)
}

const straight = (primitive: EffectPrimitive<unknown>, fiber: Fiber.Fiber<unknown, unknown>): unknown =>
  primitive[evaluate](fiber)

const identifierOf = (primitive: unknown): unknown => (primitive as { readonly [identifier]?: unknown })[identifier]
