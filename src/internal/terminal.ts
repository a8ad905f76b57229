/**
 * What the stream that is written to can show. The rules are those of Effect's `TerminalCapabilities`, which knows
 * standard output only: people's trees go to standard error.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

import { hostProcess, stream, type StreamName } from "./lineWriter.ts"

export type { StreamName }

export const isTerminal = (name: StreamName): boolean => stream(name).isTTY === true

/** Columns of the stream: 80 where it says nothing or 0, 160 at most. Read at each use, so it follows a resize. */
export const columns = (name: StreamName): number => boundColumns(stream(name).columns)

export const boundColumns = (width: number | undefined): number =>
  width === undefined || !(width > 0) ? 80 : Math.min(Math.floor(width), 160)

const variable = (name: string): Effect.Effect<string> =>
  Effect.orElseSucceed(Effect.map(Config.option(Config.String(name)), Option.getOrElse(() => "")), () => "")

/**
 * Whether a stream takes colour, by `NO_COLOR`, `FORCE_COLOR`, `TERM=dumb` and whether it is a terminal, and whether it
 * shows more than ASCII, by the locale, `TERM=linux` and the kind of Windows console.
 */
export const capabilities = (
  isTty: boolean
): Effect.Effect<{ readonly color: boolean; readonly unicode: boolean }> =>
  Effect.gen(function*() {
    const noColor = yield* variable("NO_COLOR")
    const forceColor = yield* variable("FORCE_COLOR")
    const term = yield* variable("TERM")
    const forced = forceColor !== "" && forceColor !== "0" && forceColor.toLowerCase() !== "false"
    const color = term !== "dumb" && noColor === "" && (forced || isTty)

    const locale = (yield* variable("LC_ALL")) || (yield* variable("LC_CTYPE")) || (yield* variable("LANG"))
    const modernConsole = (yield* variable("WT_SESSION")) !== "" || (yield* variable("TERM_PROGRAM")) !== "" ||
      (yield* variable("ConEmuTask")) !== "" || term.startsWith("xterm")
    const unicode = hostProcess()?.platform === "win32"
      ? modernConsole
      : term !== "linux" && (locale === "" || /utf-?8/i.test(locale))
    return { color, unicode }
  })
