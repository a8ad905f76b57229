/**
 * What a propagator reads and writes: names and values of text, as HTTP headers are (`context/api-propagators.md`).
 */
import { type Baggage, empty } from "../model/Baggage.ts"
import type { SpanContext } from "../model/SpanContext.ts"

/** What travels from process to process. */
export interface PropagationContext {
  /** The span that is the parent on the other side, or `undefined`. */
  readonly spanContext: SpanContext | undefined
  readonly baggage: Baggage
}

/** Nothing to carry. */
export const emptyContext: PropagationContext = { spanContext: undefined, baggage: empty }

/** Reads a carrier. */
export interface TextMapGetter {
  /** The value of `name`, given in lower case and found in any; several values, as of repeated headers, in order. */
  get(name: string): string | ReadonlyArray<string> | undefined
  /** All names. */
  keys(): ReadonlyArray<string>
}

/** Writes to a carrier, replacing what `name` was. */
export type TextMapSetter = (name: string, value: string) => void

/** One format of carrying a context. Both directions are synchronous. */
export interface TextMapPropagator {
  /** The names it writes, in lower case; `*` at the end of one stands for anything. */
  readonly fields: ReadonlyArray<string>
  /** Writes `context` to a carrier. */
  inject(context: PropagationContext, set: TextMapSetter): void
  /** `context` (default {@link emptyContext}) with what the carrier says; unchanged where it says nothing valid. */
  extract(carrier: TextMapGetter, context?: PropagationContext): PropagationContext
}

/** The first of several lines, for headers that are no lists. */
export const firstLine = (value: string | ReadonlyArray<string> | undefined): string | undefined =>
  typeof value === "string" ? value : value?.[0]

/**
 * `context` with `remote` as its span, if there is one. Where another format told of the same span before, that stays: it
 * may know more, such as the tracestate.
 */
export const withRemote = (
  remote: SpanContext | undefined,
  context: PropagationContext = emptyContext
): PropagationContext => {
  if (remote === undefined) return context
  const known = context.spanContext
  return known?.traceId === remote.traceId && known.spanId === remote.spanId
    ? context
    : { spanContext: remote, baggage: context.baggage }
}

/** Headers by name, as Node and Effect have them. */
export type HeaderRecord = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

/**
 * Reads a record of headers.
 *
 * **Details**
 *
 * Only own properties count. A name in lower case is found at once; another case costs a scan of all names.
 */
export const fromRecord = (headers: HeaderRecord): TextMapGetter => ({
  get(name) {
    if (Object.hasOwn(headers, name)) return headers[name]
    for (const key of Object.keys(headers)) {
      if (key.length === name.length && key.toLowerCase() === name) return headers[key]
    }
    return undefined
  },
  keys: () => Object.keys(headers)
})

/** Reads name-value pairs, such as a `Headers` object of the Fetch API; names may repeat. */
export const fromEntries = (headers: Iterable<readonly [name: string, value: string]>): TextMapGetter => {
  const lines = new Map<string, Array<string>>()
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    const values = lines.get(key)
    if (values === undefined) lines.set(key, [value])
    else values.push(value)
  }
  return { get: (name) => lines.get(name), keys: () => [...lines.keys()] }
}
