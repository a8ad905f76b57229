/** Severities (`logs/data-model.md#field-severitynumber`). */
import type * as LogLevel from "effect/LogLevel"

/** The smallest severity number of each range; each has four steps. */
export const numbers = { Trace: 1, Debug: 5, Info: 9, Warn: 13, Error: 17, Fatal: 21 } as const

/** A severity by the name of Effect's log level, or as a number from 1 to 24. */
export type SeverityInput = keyof typeof numbers | number

const texts: { readonly [Level in keyof typeof numbers]: string } = {
  Trace: "TRACE",
  Debug: "DEBUG",
  Info: "INFO",
  Warn: "WARN",
  Error: "ERROR",
  Fatal: "FATAL"
}

const isNamed = (level: string): level is keyof typeof numbers => Object.hasOwn(numbers, level)

/** The severity number of a log level; 0 for `All` and `None`, which are no severities. */
export const ofLevel = (level: LogLevel.LogLevel): number => isNamed(level) ? numbers[level] : 0

/** The log level as text, as Effect prints it; `""` for `All` and `None`. */
export const textOf = (level: LogLevel.LogLevel): string => isNamed(level) ? texts[level] : ""

const names: ReadonlyArray<string> = [
  "",
  ...Object.values(texts).flatMap((text) => [text, `${text}2`, `${text}3`, `${text}4`])
]

/** The range of a severity number, as in `INFO2`; `""` for none. */
export const nameOf = (severityNumber: number): string => names[severityNumber] ?? ""

/** A severity as a number: 0 for one that is none. */
export const fromInput = (severity: SeverityInput): number =>
  typeof severity === "string"
    ? ofLevel(severity)
    : severity >= 1 && severity <= 24
    ? Math.trunc(severity)
    : 0
