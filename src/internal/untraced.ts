/**
 * What the library does for itself, such as sending spans, must not become spans again. Whoever traces requests from
 * outside (an instrumentation of `node:http`) has to be told; who knows how to tell it says so here.
 */

type Wrap = <A>(f: () => A) => A

let wrap: Wrap | undefined

/** Runs `f` so that nobody traces it. */
export const untraced = <A>(f: () => A): A => wrap === undefined ? f() : wrap(f)

/** Says how. Returns what takes that back. */
export const tellTracers = (how: Wrap): () => void => {
  wrap = how
  return () => {
    if (wrap === how) wrap = undefined
  }
}
