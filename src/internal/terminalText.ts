/** Text on a terminal: how wide it is, how it is cut, and how it is kept from doing anything there. */

/** Longest text that is looked at; a span name or value beyond is cut. */
const maxLength = 512

const wideRanges: ReadonlyArray<readonly [number, number]> = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x17000, 0x18cff],
  [0x1b000, 0x1b2ff],
  [0x20000, 0x3fffd]
]

const emoji = /\p{Emoji_Presentation}|\ufe0f/u
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]/u
const ascii = /^[\x20-\x7e]*$/

// Made when first needed: a segmenter takes a millisecond to build.
let segmenter: Intl.Segmenter | undefined

const graphemes = (text: string): Iterable<string> => {
  if (typeof Intl === "undefined" || Intl.Segmenter === undefined) return text
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" })
  return Array.from(segmenter.segment(text), (part) => part.segment)
}

const graphemeWidth = (grapheme: string): number => {
  const code = grapheme.codePointAt(0)!
  if (code < 0x7f && grapheme.length === 1) return 1
  if (emoji.test(grapheme)) return 2
  if (zeroWidth.test(grapheme)) return 0
  return wideRanges.some(([from, to]) => code >= from && code <= to) ? 2 : 1
}

/** The columns `text` takes. */
export const displayWidth = (text: string): number => {
  if (ascii.test(text)) return text.length
  let width = 0
  for (const grapheme of graphemes(text)) width += graphemeWidth(grapheme)
  return width
}

/** `text` in at most `width` columns, ended by `ellipsis` where it was cut. */
export const truncate = (text: string, width: number, ellipsis: string): string => {
  if (displayWidth(text) <= width) return text
  if (width <= ellipsis.length) return ellipsis.slice(0, Math.max(width, 0))
  let out = ""
  let used = 0
  for (const grapheme of graphemes(text)) {
    const next = graphemeWidth(grapheme)
    if (used + next > width - ellipsis.length) break
    out += grapheme
    used += next
  }
  return out + ellipsis
}

// Controls move the cursor or change the terminal; marks of direction reorder what is read; a lone surrogate is no text.
const unsafe = new RegExp(
  "[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]" +
    "|[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff]",
  "g"
)

const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

const escapeUnit = (unit: string): string => {
  const code = unit.charCodeAt(0)
  return named[unit] ??
    (code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`)
}

/** `text` that can do nothing but be read: control signs, marks of direction and lone surrogates become escapes. */
export const escapeText = (text: string, unicode: boolean): string => {
  const bounded = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  if (ascii.test(bounded)) return bounded
  const safe = bounded.replace(unsafe, escapeUnit)
  return unicode ? safe : toAscii(safe)
}

const toAscii = (text: string): string => {
  let out = ""
  for (const grapheme of graphemes(text)) out += ascii.test(grapheme) ? grapheme : grapheme === "…" ? "..." : "?"
  return out
}

/** One look of a stretch of text; the 16 colours only. */
export type Style = "plain" | "bold" | "dim" | "red" | "yellow" | "cyan"

const codes: Readonly<Record<Exclude<Style, "plain">, string>> = {
  bold: "1",
  dim: "2",
  red: "31",
  yellow: "33",
  cyan: "36"
}

/** A line in the making: stretches of text, each with its look. */
export type Segments = ReadonlyArray<readonly [text: string, style: Style]>

export const paint = (segments: Segments, color: boolean): string => {
  let out = ""
  for (const [text, style] of segments) {
    out += !color || style === "plain" || text === "" ? text : `\u001b[${codes[style]}m${text}\u001b[0m`
  }
  return out
}

/** `segments` in exactly `width` columns: cut, or filled with blanks. */
export const fit = (segments: Segments, width: number, ellipsis: string): Array<readonly [string, Style]> => {
  const out: Array<readonly [string, Style]> = []
  const filled = segments.filter(([text]) => text !== "")
  let left = width
  for (let i = 0; i < filled.length && left > 0; i++) {
    const [text, style] = filled[i]!
    const whole = displayWidth(text)
    const isWhole = whole < left || (whole === left && i === filled.length - 1)
    // Where nothing is left for what follows, the ellipsis stands for that too.
    const shown = isWhole ? text : truncate(`${text} `, left, ellipsis)
    out.push([shown, style])
    left -= displayWidth(shown)
    if (!isWhole) break
  }
  if (left > 0) out.push([" ".repeat(left), "plain"])
  return out
}

/** Nanoseconds in three significant digits with a unit: `412µs`, `35.6ms`, `1.20s`. */
export const formatNanos = (nanos: bigint | number, unicode: boolean): string => {
  const value = Number(nanos)
  const magnitude = Math.abs(value)
  // 999.5 of a unit would round to four digits; it is one of the next.
  if (magnitude < 999_500) return digits(value / 1e3) + (unicode ? "µs" : "us")
  if (magnitude < 999_500_000) return `${digits(value / 1e6)}ms`
  return `${digits(value / 1e9)}s`
}

const digits = (value: number): string => {
  const magnitude = Math.abs(value)
  if (magnitude === 0) return "0"
  if (magnitude >= 99.95) return value.toFixed(0)
  if (magnitude >= 9.995) return value.toFixed(1)
  if (magnitude >= 0.9995) return value.toFixed(2)
  return value.toFixed(3)
}
