/**
 * What this library touches of Effect 3, by its shape. Nothing of Effect 3 is imported: it is the program's, and lies
 * beside an Effect 4 that is ours.
 */

/** `effect/Option`. */
export type Option3<A> = { readonly _tag: "None" } | { readonly _tag: "Some"; readonly value: A }

/** `effect/Context`. */
export interface Context3 {
  readonly unsafeMap: ReadonlyMap<string, unknown>
}

/** `effect/FiberId`. */
export interface FiberId3 {
  readonly _tag: string
  readonly id?: number
}

/** `effect/Cause`. */
export type Cause3 =
  | { readonly _tag: "Empty" }
  | { readonly _tag: "Fail"; readonly error: unknown }
  | { readonly _tag: "Die"; readonly defect: unknown }
  | { readonly _tag: "Interrupt"; readonly fiberId: FiberId3 }
  | { readonly _tag: "Sequential" | "Parallel"; readonly left: Cause3; readonly right: Cause3 }

/** `effect/Exit`. */
export type Exit3 =
  | { readonly _tag: "Success"; readonly value: unknown }
  | { readonly _tag: "Failure"; readonly cause: Cause3 }

/** `effect/Tracer`: a span of whatever tracer. */
export interface Span3 {
  readonly _tag: "Span"
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
  readonly parent: Option3<AnySpan3>
}

/** `effect/Tracer`: a span of another process. */
export interface ExternalSpan3 {
  readonly _tag: "ExternalSpan"
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
}

/** `effect/Tracer`. */
export type AnySpan3 = Span3 | ExternalSpan3

/** `effect/Tracer`. */
export interface SpanLink3 {
  readonly span: AnySpan3
  readonly attributes: Readonly<Record<string, unknown>>
}

/** `effect/Tracer`. */
export interface SpanOptions3 {
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
  readonly root?: boolean | undefined
}

/** `effect/Fiber`. */
export interface Fiber3 {
  readonly currentContext: Context3
  readonly currentSpan?: AnySpan3 | undefined
}
