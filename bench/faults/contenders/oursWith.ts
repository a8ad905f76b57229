import { startSpan, trace, TraceContext } from "effect-telemetry/promise"
import type { Books, Setup } from "../protocol.ts"
import type { Contender } from "./Contender.ts"
import { booksOf } from "./oursOptions.ts"
import { plainMain } from "./plain.ts"

type Options = TraceContext.InitializeOptions

/** The facade for plain TypeScript, with the given options. */
export const oursWith = (options: (setup: Setup) => Options): Contender => {
  const start: Contender["start"] = async (setup) => {
    await TraceContext.initialize(options(setup))
    let closing: Books | undefined
    return {
      span: (name, attributes) => trace(name, { attributes }, () => {}),
      open: (name) => {
        const span = startSpan(name)
        return () => span.end()
      },
      close: async () => {
        const ledger = await TraceContext.shutdown()
        if (ledger !== undefined) closing = booksOf(ledger)
      },
      books: async () => {
        const ledger = await TraceContext.ledger()
        return ledger === undefined ? closing : booksOf(ledger)
      }
    }
  }
  return { start, main: plainMain(start) }
}
