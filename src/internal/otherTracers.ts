/**
 * What other tracers in the process have to be told. What the library does for itself, such as sending spans, must not
 * become spans again; and headers that it has written must not be written a second time.
 */

/** Runs a function so that other tracers leave it alone in some way. */
export type Wrap = <A>(f: () => A) => A

/** How they are told. */
export interface Telling {
  readonly untraced: Wrap
  readonly withoutHeaders: Wrap
}

let telling: Telling | undefined

/** Runs `f` so that nobody traces it. */
export const untraced: Wrap = (f) => telling === undefined ? f() : telling.untraced(f)

/** Runs `f` so that nobody else writes the context into headers. */
export const withoutHeaders: Wrap = (f) => telling === undefined ? f() : telling.withoutHeaders(f)

/** Says how. Returns what takes that back. */
export const tellTracers = (how: Telling): () => void => {
  telling = how
  return () => {
    if (telling === how) telling = undefined
  }
}
