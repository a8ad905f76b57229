/** Functions and methods whose every call is a span. */
import { inertSpan } from "../tracing/inertSpan.ts"
import { iterate, kindOf } from "./generators.ts"
import {
  type ActiveSpan,
  originOf,
  runWithin,
  type Source,
  type SpanAttributes,
  type SpanOptions,
  start,
  startWithin
} from "./spans.ts"

/** Runs a function within a span, as `trace` does. */
export interface Trace {
  <A>(name: string, fn: (span: ActiveSpan) => A): A
  <A>(name: string, options: SpanOptions, fn: (span: ActiveSpan) => A): A
}

/** Options of `traced`. */
export interface TracedOptions<Args extends ReadonlyArray<unknown> = ReadonlyArray<never>>
  extends Omit<SpanOptions, "attributes" | "parent">
{
  /** Attributes, or how they follow from the arguments. */
  readonly attributes?: SpanAttributes | ((...args: Args) => SpanAttributes) | undefined
}

/** Any function; its `this`, parameters and result are its own. */
export type AnyFunction = (this: never, ...args: Array<never>) => unknown

/** The parameters of a function; unlike `Parameters`, also where the last is a `ReadonlyArray`. */
export type ArgumentsOf<F> = F extends (...args: infer Args extends ReadonlyArray<any>) => unknown ? Args : never

/** A standard method decorator, for methods whose arguments a function of `Args` can take. */
export type TracedDecorator<Args extends ReadonlyArray<unknown>> = <F extends (this: any, ...args: any) => any>(
  method: F,
  context: ((...args: Args) => void) extends ((...args: ArgumentsOf<F>) => void) ? ClassMethodDecoratorContext<any, F>
    : never
) => F

/** Wraps a function, or decorates a method, as `traced` does. */
export interface Traced {
  <F extends AnyFunction>(fn: F): F
  <F extends AnyFunction>(name: string, fn: F): F
  <F extends AnyFunction>(options: TracedOptions<ArgumentsOf<F>>, fn: F): F
  <F extends AnyFunction>(name: string, options: TracedOptions<ArgumentsOf<F>>, fn: F): F
  <F extends (this: any, ...args: any) => any>(method: F, context: ClassMethodDecoratorContext<any, F>): F
  <Args extends ReadonlyArray<unknown>>(options: TracedOptions<Args>): TracedDecorator<Args>
  <Args extends ReadonlyArray<unknown>>(name?: string, options?: TracedOptions<Args>): TracedDecorator<Args>
}

/** `trace` over the spans of `source`. */
export const traceOf = (source: Source): Trace =>
<A>(
  name: string,
  optionsOrFn: SpanOptions | ((span: ActiveSpan) => A),
  last?: (span: ActiveSpan) => A
): A => {
  const fn = typeof optionsOrFn === "function" ? optionsOrFn : last!
  const options = typeof optionsOrFn === "function" ? undefined : optionsOrFn
  const core = source.core()
  if (core === undefined) return fn(inertSpan)
  const kind = kindOf(fn)
  if (kind !== undefined) {
    const origin = originOf(core, options)
    const open = () => startWithin(core, source.scope, name, options, options?.attributes, origin)
    return iterate(kind, fn, open, fn) as A
  }
  const span = start(core, source.scope, name, options, options?.attributes)
  return runWithin(span, fn, span)
}

type Method = (this: unknown, ...args: Array<unknown>) => unknown

// The call itself must go on, whatever its description does.
const describeCall = (
  describe: (...args: Array<unknown>) => SpanAttributes,
  args: Array<unknown>
): SpanAttributes | undefined => {
  try {
    return describe(...args)
  } catch {
    return undefined
  }
}

/** The names of a sloppy function's own properties that no other function can have. */
const unshared: ReadonlyArray<PropertyKey> = ["arguments", "caller"]

const wrap = (source: Source, fn: Method, name: string, options: TracedOptions<Array<unknown>> | undefined): Method => {
  const kind = kindOf(fn)
  const { attributes, ...rest } = options ?? {}
  const settings = options === undefined ? undefined : rest
  const attributesOf = (args: Array<unknown>): SpanAttributes | undefined =>
    typeof attributes === "function" ? describeCall(attributes, args) : attributes
  const wrapped: Method = kind === undefined
    ? function(this: unknown, ...args) {
      const core = source.core()
      if (core === undefined) return Reflect.apply(fn, this, args)
      const span = start(core, source.scope, name, settings, attributesOf(args))
      return runWithin(span, (args) => Reflect.apply(fn, this, args), args)
    }
    : function(this: unknown, ...args) {
      const core = source.core()
      if (core === undefined) return Reflect.apply(fn, this, args)
      const origin = originOf(core, settings)
      const open = () => startWithin(core, source.scope, name, settings, attributesOf(args), origin)
      return iterate(kind, fn, open, () => Reflect.apply(fn, this, args))
    }
  for (const key of Reflect.ownKeys(fn)) {
    if (!unshared.includes(key)) Object.defineProperty(wrapped, key, Object.getOwnPropertyDescriptor(fn, key)!)
  }
  return wrapped
}

interface DecoratorContext {
  readonly kind: string
  readonly name: string | symbol
}

const isDecoratorContext = (value: unknown): value is DecoratorContext =>
  typeof value === "object" && value !== null && "kind" in value && "addInitializer" in value

const decorate = (
  source: Source,
  name: string | undefined,
  options: TracedOptions<Array<unknown>> | undefined,
  method: unknown,
  context: unknown
): Method => {
  if (!isDecoratorContext(context)) {
    throw new TypeError(
      "traced was given no function and no context of a decorator. It is a standard decorator: "
        + "`experimentalDecorators` must be off. To wrap a function, pass it last: traced(name, options, fn)."
    )
  }
  const own = typeof context.name === "symbol" ? context.name.description || "anonymous" : context.name
  if (context.kind !== "method") {
    throw new TypeError(
      `traced decorates methods, and ${own} is a ${context.kind}. Wrap the function itself: traced("${own}", fn).`
    )
  }
  return wrap(source, method as Method, name ?? own, options)
}

/** `traced` over the spans of `source`. */
export const tracedOf = (source: Source): Traced =>
  ((...given: ReadonlyArray<unknown>): unknown => {
    if (typeof given[0] === "function" && given.length > 1) {
      return decorate(source, undefined, undefined, given[0], given[1])
    }
    const [first, second] = given
    const last = given[given.length - 1]
    const name = typeof first === "string" ? first : undefined
    const options = [first, second].find((one) => typeof one === "object") as TracedOptions<Array<unknown>> | undefined
    if (typeof last === "function") return wrap(source, last as Method, name ?? (last.name || "anonymous"), options)
    return (method: unknown, context: unknown) => decorate(source, name, options, method, context)
  }) as Traced
