/** A user's rule for what is secret inside a text; see `RedactSpanProcessor.ValueRule`. */
export type ValueRule =
  | { readonly literal: string }
  | { readonly prefix: string; readonly minLength?: number | undefined }
  | RegExp
  | ((text: string, key: string) => string)

/** Most UTF-16 code units a user's regular expression is run on; what follows is replaced by the mask. */
export const maxPatternLength = 4096

/** A regular expression that took this long on one value, three times, is not run again. */
export const maxPatternMillis = 100
const maxStrikes = 3

const tokenSign = /[A-Za-z0-9._~+/=-]/
const wordSign = /[A-Za-z0-9_-]/

type Rule = (text: string, key: string) => string

export const compileValueRule = (rule: ValueRule, mask: string, failed: (message: string) => void): Rule => {
  if (typeof rule === "function") return guarded(rule, mask, failed)
  if (rule instanceof RegExp) return byPattern(rule, mask, failed)
  if ("literal" in rule) {
    return rule.literal === ""
      ? (text) => text
      : (text) => text.replaceAll(rule.literal, () => mask)
  }
  return byPrefix(rule.prefix, rule.minLength ?? rule.prefix.length + 1, mask)
}

const guarded = (rule: Rule, mask: string, failed: (message: string) => void): Rule => (text, key) => {
  try {
    const result: unknown = rule(text, key)
    if (typeof result === "string") return result
    failed("a redaction rule did not return a string; the value was masked")
  } catch {
    // Not the error's text: it may hold the value.
    failed("a redaction rule threw; the value was masked")
  }
  return mask
}

const byPrefix = (prefix: string, minLength: number, mask: string): Rule => {
  if (prefix === "") return (text) => text
  return (text) => {
    let at = text.indexOf(prefix)
    if (at < 0) return text
    let out = ""
    let copied = 0
    while (at >= 0) {
      let end = at + prefix.length
      while (end < text.length && tokenSign.test(text[end]!)) end++
      if (end - at >= minLength && (at === 0 || !wordSign.test(text[at - 1]!))) {
        out += text.slice(copied, at) + mask
        copied = end
      }
      at = text.indexOf(prefix, end)
    }
    return out + text.slice(copied)
  }
}

const byPattern = (pattern: RegExp, mask: string, failed: (message: string) => void): Rule => {
  const own = new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, "")}g`)
  let strikes = 0
  return guarded(
    (text) => {
      if (strikes >= maxStrikes) {
        failed(`a redaction pattern took over ${maxPatternMillis} ms ${maxStrikes} times; values are masked whole`)
        return mask
      }
      const started = performance.now()
      const head = text.length > maxPatternLength ? text.slice(0, maxPatternLength) : text
      const clean = head.replace(own, () => mask)
      if (performance.now() - started > maxPatternMillis) strikes++
      return head === text ? clean : clean + mask
    },
    mask,
    failed
  )
}
