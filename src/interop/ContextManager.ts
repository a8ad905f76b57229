/** Our context as the `ContextManager` of OpenTelemetry JavaScript (`context/README.md`). */
import * as AsyncContext from "../context/AsyncContext.ts"
import type * as Api from "./api.ts"
import { active, OtelAmbient } from "./OtelAmbient.ts"

type Listener = (...args: Array<unknown>) => unknown

interface Emitter {
  readonly on: (event: string | symbol, listener: Listener) => unknown
  readonly removeListener: (event: string | symbol, listener: Listener) => unknown
}

const isEmitter = (target: object): target is Emitter =>
  typeof (target as Partial<Emitter>).on === "function" &&
  typeof (target as Partial<Emitter>).removeListener === "function"

const within = <A>(context: Api.Context, fn: () => A): A => AsyncContext.run(new OtelAmbient(context), fn)

const bindFunction = (context: Api.Context, target: Listener): Listener => {
  const bound = function(this: unknown, ...args: Array<unknown>): unknown {
    return within(context, () => Reflect.apply(target, this, args))
  }
  Object.defineProperty(bound, "length", { value: target.length, configurable: true })
  return bound
}

const adding = ["on", "addListener", "once", "prependListener", "prependOnceListener"]
const removing = ["off", "removeListener"]
const bound = /* @__PURE__ */ Symbol("effect-telemetry/interop/bound")

/** Listeners that are added from now on run within `context`. What was bound before is bound anew. */
const bindEmitter = (context: Api.Context, emitter: Emitter): Emitter => {
  const methods = emitter as unknown as Record<string | symbol, unknown>
  const known = methods[bound] as { context: Api.Context } | undefined
  if (known !== undefined) {
    known.context = context
    return emitter
  }
  const state = { context }
  Object.defineProperty(emitter, bound, { value: state, enumerable: false })
  const wrappers = new WeakMap<Listener, Listener>()
  // `once` of Node calls `on` with a listener of its own, which must not be bound twice.
  let isWithin = false
  for (const name of adding) {
    const original = methods[name]
    if (typeof original !== "function") continue
    methods[name] = function(this: unknown, event: string | symbol, listener: Listener): unknown {
      if (isWithin || typeof listener !== "function") return Reflect.apply(original, this, [event, listener])
      let wrapper = wrappers.get(listener)
      if (wrapper === undefined) wrappers.set(listener, wrapper = bindFunction(state.context, listener))
      isWithin = true
      try {
        return Reflect.apply(original, this, [event, wrapper])
      } finally {
        isWithin = false
      }
    }
  }
  for (const name of removing) {
    const original = methods[name]
    if (typeof original !== "function") continue
    methods[name] = function(this: unknown, event: string | symbol, listener: Listener): unknown {
      return Reflect.apply(original, this, [event, wrappers.get(listener) ?? listener])
    }
  }
  return emitter
}

/** Makes a context manager. It has no state: it speaks of the one storage of the process, in step with the fibers. */
export const make = (): Api.ContextManager => {
  const manager: Api.ContextManager = {
    active,
    with: (context, fn, thisArg, ...args) => within(context, () => Reflect.apply(fn, thisArg, args)),
    bind: (context, target) =>
      typeof target === "function"
        ? bindFunction(context, target as Listener) as typeof target
        : typeof target === "object" && target !== null && isEmitter(target)
        ? bindEmitter(context, target) as typeof target
        : target,
    enable: () => manager,
    disable: () => manager
  }
  return manager
}
