import type { Span } from "./Span.ts"

/** Most spans that are remembered while they are open. */
const limit = 4096

/**
 * The spans that are open, so that they can be ended when the process is.
 *
 * **Details**
 *
 * A list through the spans themselves: adding and removing allocates nothing. Beyond {@link limit} the oldest is
 * forgotten, so that spans which nobody ever ends do not pile up; it can still be ended, but is not when the process is.
 */
export class OpenSpans {
  private newest: Span | undefined = undefined
  private oldest: Span | undefined = undefined
  private size = 0

  add(span: Span): void {
    const { newest } = this
    if (newest === undefined) this.oldest = span
    else {
      newest.newerOpen = span
      span.olderOpen = newest
    }
    this.newest = span
    if (++this.size > limit) this.remove(this.oldest!)
  }

  /** Removes a span; nothing happens to one that was forgotten. */
  remove(span: Span): void {
    const { newerOpen, olderOpen } = span
    if (newerOpen !== undefined) {
      newerOpen.olderOpen = olderOpen
      span.newerOpen = undefined
    } else if (this.newest === span) this.newest = olderOpen
    else return
    if (olderOpen !== undefined) {
      olderOpen.newerOpen = newerOpen
      span.olderOpen = undefined
    } else this.oldest = newerOpen
    this.size--
  }

  /** The spans that are open, the newest first: children before their parents. */
  list(): ReadonlyArray<Span> {
    const spans: Array<Span> = []
    for (let span = this.newest; span !== undefined; span = span.olderOpen) spans.push(span)
    return spans
  }
}
