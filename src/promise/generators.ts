/**
 * Spans around generators.
 *
 * **Details**
 *
 * The span starts with the first step, so that a generator nobody iterates leaves none open, and its parent is what was
 * current when the generator was made. Each step of the body runs in the span's context; between two steps the consumer
 * has its own.
 */
import * as AsyncContext from "../context/AsyncContext.ts"
import { inertSpan } from "../tracing/inertSpan.ts"
import type { Span } from "../tracing/Span.ts"
import { fail, succeed } from "./spans.ts"

type Step = "next" | "return" | "throw"
type Body<Result> = Record<Step, (value?: unknown) => Result>

/** Starts the span of one iteration. */
export type Open = () => Span

/** The body of one iteration; `span` is inert when it never runs. */
export type MakeBody = (span: Span) => unknown

/** Which kind of generator function `fn` is, if any. Asked of the function, so that no result needs to be looked at. */
export const kindOf = (fn: object): "sync" | "async" | undefined => {
  const tag = (fn as { readonly [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]
  return tag === "GeneratorFunction" ? "sync" : tag === "AsyncGeneratorFunction" ? "async" : undefined
}

/** An iteration: its span, as long as it is open, and its body, once there is one. */
class Iteration<Result> {
  span: Span | undefined = undefined
  body: Body<Result> | undefined = undefined
  private readonly open: Open
  private readonly make: MakeBody

  constructor(open: Open, make: MakeBody) {
    this.open = open
    this.make = make
  }

  take(step: Step, args: ReadonlyArray<unknown>): Result {
    if (this.body === undefined) {
      // Ended before it began, the body does not run at all.
      const span = step === "next" ? this.open() : inertSpan
      if (span !== inertSpan) this.span = span
      this.body = this.make(span) as Body<Result>
    }
    const body = this.body
    const run = (args: ReadonlyArray<unknown>): Result => Reflect.apply(body[step], body, args)
    return this.span === undefined ? run(args) : AsyncContext.runWith(this.span, run, args)
  }

  succeed(value: unknown): void {
    if (this.span !== undefined) succeed(this.span, value)
    this.span = undefined
  }

  fail(error: unknown): void {
    if (this.span !== undefined) fail(this.span, error)
    this.span = undefined
  }
}

const syncSteps = (open: Open, make: MakeBody) => {
  const iteration = new Iteration<IteratorResult<unknown>>(open, make)
  let isRunning = false
  return (step: Step) => (...args: ReadonlyArray<unknown>): IteratorResult<unknown> => {
    // A body that steps itself gets its TypeError, which is not yet the body's own.
    if (isRunning) return iteration.take(step, args)
    isRunning = true
    try {
      const result = iteration.take(step, args)
      if (result.done === true) iteration.succeed(result.value)
      return result
    } catch (error) {
      iteration.fail(error)
      throw error
    } finally {
      isRunning = false
    }
  }
}

const asyncSteps = (open: Open, make: MakeBody) => {
  const iteration = new Iteration<Promise<IteratorResult<unknown>>>(open, make)
  return (step: Step) => async (...args: ReadonlyArray<unknown>): Promise<IteratorResult<unknown>> => {
    try {
      const result = await iteration.take(step, args)
      if (result.done === true) iteration.succeed(result.value)
      return result
    } catch (error) {
      iteration.fail(error)
      throw error
    }
  }
}

/** What the generators of `fn` inherit from; a bound function has no prototype of its own. */
const prototypeOf = (fn: object): object => {
  const own = (fn as { readonly prototype?: unknown }).prototype
  return typeof own === "object" && own !== null
    ? own
    : (Object.getPrototypeOf(fn) as { readonly prototype: object }).prototype
}

/** A generator like those of `fn`, whose steps run within the span. */
export const iterate = (kind: "sync" | "async", fn: object, open: Open, make: MakeBody): unknown => {
  const steps = kind === "sync" ? syncSteps(open, make) : asyncSteps(open, make)
  return Object.create(prototypeOf(fn), {
    next: { value: steps("next"), configurable: true, writable: true },
    return: { value: steps("return"), configurable: true, writable: true },
    throw: { value: steps("throw"), configurable: true, writable: true }
  })
}
