import type { Books, Setup } from "../protocol.ts"

/** Makes one span that ends at once. */
export type MakeSpan = (name: string, attributes?: Readonly<Record<string, unknown>>) => void

/** A contender that runs. */
export interface Running {
  readonly span: MakeSpan
  /** Starts a span; the answer ends it. */
  readonly open: (name: string) => () => void
  /** Shuts down as the contender's documentation says. */
  readonly close: () => Promise<void>
  /** What it says became of the spans, where it can say so. */
  readonly books?: () => Promise<Books | undefined>
}

/** A contender as its module exports it. */
export interface Contender {
  readonly start: (setup: Setup) => Promise<Running>
  /** Runs a whole program as the contender's documentation writes one, and leaves the leaving to it. */
  readonly main: (setup: Setup, body: (span: MakeSpan) => Promise<void>) => void
}
