import * as Context from "effect/Context"
import { lineWriter } from "../internal/lineWriter.ts"

/** Levels of `OTEL_LOG_LEVEL`, loudest first. */
export type DiagnosticLevel = "none" | "error" | "warn" | "info" | "debug"

const rank: Record<DiagnosticLevel, number> = { none: 0, error: 1, warn: 2, info: 3, debug: 4 }

/** How the library speaks about itself: one loud line for each kind of trouble, then silence and counters. */
export interface Diagnostics {
  /**
   * Reports `message` once for each `key` within a minute; repeats are only counted, and the count is told with the
   * next line of that key.
   */
  report(level: Exclude<DiagnosticLevel, "none">, key: string, message: string): void
  /** Whether `report` would keep a line of this key back at present, so that who has news can try again later. */
  isSilenced?(key: string): boolean
  /** How often each key was reported, silenced repeats included. */
  readonly counts: ReadonlyMap<string, number>
}

const repeatAfterMillis = 60_000

// Control characters in a foreign message (an HTTP body, an exception) would let it write on the operator's terminal, and
// marks of direction would let it read as another.
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g

/**
 * Makes a `Diagnostics` that writes lines to `write` (default: standard error; a reader that goes away does not end the process).
 *
 * **Details**
 *
 * `level` is the most talkative level that is written (default `"info"`, as `OTEL_LOG_LEVEL`). Lines are capped at
 * 1,024 characters and control characters are removed.
 */
export const make = (options?: {
  readonly level?: DiagnosticLevel | undefined
  readonly write?: ((line: string) => void) | undefined
  readonly now?: (() => number) | undefined
}): Diagnostics => {
  const limit = rank[options?.level ?? "info"]
  const write = options?.write ?? lineWriter("stderr", () => {})
  const now = options?.now ?? (() => performance.now())
  const counts = new Map<string, number>()
  const written = new Map<string, { at: number; count: number }>()
  const isSilenced = (key: string): boolean => {
    const last = written.get(key)
    return last !== undefined && now() - last.at < repeatAfterMillis
  }
  return {
    counts,
    isSilenced,
    report(level, key, message) {
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      if (rank[level] > limit) return
      if (isSilenced(key)) return
      const last = written.get(key)
      written.set(key, { at: now(), count })
      const repeats = last === undefined ? 0 : count - last.count - 1
      const text = `effect-telemetry ${level}: ${message}${repeats > 0 ? ` (and ${repeats} more like it)` : ""}`
      try {
        write(text.replace(control, " ").slice(0, 1024))
      } catch {
        // A broken standard error must not break the host.
      }
    }
  }
}

/** The `Diagnostics` in use. Default: level `info`, standard error. */
export const Diagnostics: Context.Reference<Diagnostics> = Context.Reference<Diagnostics>(
  "effect-telemetry/diagnostics/Diagnostics",
  { defaultValue: () => make() }
)
