/**
 * Text patterns without a regular expression: every match is a bounded number of `startsWith`, `endsWith` and `indexOf`,
 * so no text makes one slow.
 */

/** Text equal to a string, or with a prefix, a suffix, or the shape of a glob in which `*` stands for any run. */
export type Pattern =
  | string
  | { readonly prefix: string }
  | { readonly suffix: string }
  | { readonly glob: string }

const globMatcher = (glob: string): (text: string) => boolean => {
  const parts = glob.split("*")
  if (parts.length === 1) return (text) => text === glob
  const first = parts[0]!
  const last = parts[parts.length - 1]!
  const middle = parts.slice(1, -1).filter((part) => part !== "")
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
    const end = text.length - last.length
    let at = first.length
    // The leftmost place of each part leaves the most room for the next one, so nothing is tried twice.
    for (const part of middle) {
      const found = text.indexOf(part, at)
      if (found < 0 || found + part.length > end) return false
      at = found + part.length
    }
    return true
  }
}

const matcher = (pattern: Pattern): (text: string) => boolean => {
  if (typeof pattern === "string") return (text) => text === pattern
  if ("prefix" in pattern) return (text) => text.startsWith(pattern.prefix)
  if ("suffix" in pattern) return (text) => text.endsWith(pattern.suffix)
  return globMatcher(pattern.glob)
}

const lower = (pattern: Pattern): Pattern =>
  typeof pattern === "string"
    ? pattern.toLowerCase()
    : "prefix" in pattern
    ? { prefix: pattern.prefix.toLowerCase() }
    : "suffix" in pattern
    ? { suffix: pattern.suffix.toLowerCase() }
    : { glob: pattern.glob.toLowerCase() }

/** Whether any of `patterns` matches a text. Case matters. */
export const anyOf = (patterns: ReadonlyArray<Pattern>): (text: string) => boolean => {
  const exact = new Set(patterns.filter((pattern) => typeof pattern === "string"))
  const others = patterns.filter((pattern) => typeof pattern !== "string").map(matcher)
  return (text) => exact.has(text) || others.some((matches) => matches(text))
}

/** Whether any of `patterns` matches a text, whatever the case of either. */
export const anyOfIgnoringCase = (patterns: ReadonlyArray<Pattern>): (text: string) => boolean => {
  const matches = anyOf(patterns.map(lower))
  return (text) => matches(text.toLowerCase())
}

const fits = (glob: string, text: string): boolean => {
  let at = 0
  let from = 0
  let star = -1
  let resume = 0
  while (at < text.length) {
    if (from < glob.length && glob[from] === "*") {
      star = from++
      resume = at
    } else if (from < glob.length && (glob[from] === "?" || glob[from] === text[at])) {
      from++
      at++
    } else if (star >= 0) {
      // What follows the last star starts one further on; earlier stars need never give anything back.
      from = star + 1
      at = ++resume
    } else return false
  }
  while (glob[from] === "*") from++
  return from === glob.length
}

/** Whether a text has the shape of `glob`, in which `*` stands for any run and `?` for one character. Case matters. */
export const glob = (glob: string): (text: string) => boolean =>
  glob.includes("?") ? (text) => fits(glob, text) : globMatcher(glob)
