/**
 * Finds secrets inside text: `password=…`, `"apiKey": "…"`, `Authorization: …`, credentials and query values of URLs,
 * bearer tokens, keys with a vendor's well-known prefix. One pass, bounded look-behind, every masked stretch consumed:
 * linear in the length of the text.
 */

/** What counts as secret, and what replaces it. */
export interface ScrubRules {
  readonly mask: string
  /** Whether the name before `=` or `:` is a secret's. */
  readonly isSecret: (name: string) => boolean
  /** Whether the value of a URL's query parameter is hidden. */
  readonly isSecretParameter: (name: string) => boolean
  /** Credentials and query values in URLs are hidden. */
  readonly urls: boolean
  /** Well-known secrets are found by their form. */
  readonly wellKnown: boolean
}

interface Range {
  readonly start: number
  readonly end: number
  readonly by: string
}

// Only where one of these stands can a secret begin or be announced. No quantifier: the search is linear.
const marker =
  /[:=]|[Bb](?:earer|EARER|asic|ASIC)[ \t]|eyJ|A[KS]IA|gh[opsu]_|github_pat_|glpat-|[sr]k[-_]|xox|AIza|-----BEGIN /g

const farthestName = 64
const farthestUserinfo = 1024

const signs = (text: string): Uint8Array => {
  const table = new Uint8Array(128)
  for (let i = 0; i < text.length; i++) table[text.charCodeAt(i)] = 1
  return table
}
const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
const nameSigns = signs(`${alphanumeric}_$%-`)
const tokenSigns = signs(`${alphanumeric}._~+/=-`)
const blanks = " \t\r\n\"'`"
const authorityStops = signs(`${blanks}/?#<>\\`)
const urlStops = signs(`${blanks}<>`)
const parameterStops = signs(`${blanks}<>&#`)
const parameterNameStops = signs(`${blanks}<>&#?=`)
const headerStops = signs("\r\n\"'`")
const valueStops = signs(`${blanks}<>&,;)}]|\\`)

const isNameSign = (text: string, at: number): boolean => nameSigns[text.charCodeAt(at)] === 1
const isBlank = (sign: string | undefined): boolean => sign === " " || sign === "\t"
const isQuote = (sign: string | undefined): boolean => sign === "\"" || sign === "'" || sign === "`"

const runEnd = (text: string, from: number, stops: Uint8Array): number => {
  let at = from
  while (at < text.length && stops[text.charCodeAt(at)] !== 1) at++
  return at
}

const tokenEnd = (text: string, from: number): number => {
  let at = from
  while (at < text.length && tokenSigns[text.charCodeAt(at)] === 1) at++
  return at
}

// A word of prose has no digit inside and no capital behind its first letter.
const looksRandom = (value: string): boolean =>
  value.length >= 20 || (value.length >= 6 && /[0-9]/.test(value)) || (value.length >= 8 && /.[A-Z]/.test(value))

/** `text` without its secrets. `isQuery` says that the whole text is the query of a URL. */
export const scrubText = (text: string, rules: ScrubRules, isQuery = false): string => {
  let out = ""
  let copied = 0
  marker.lastIndex = 0
  for (let hit = marker.exec(text); hit !== null; hit = marker.exec(text)) {
    const next = marker.lastIndex
    const range = inspect(text, hit.index, hit[0], rules, isQuery)
    marker.lastIndex = next
    if (range === undefined || range.start < copied) continue
    if (range.end > range.start) {
      out += text.slice(copied, range.start) + range.by
      copied = range.end
    }
    marker.lastIndex = Math.max(next, range.end)
  }
  return copied === 0 ? text : out + text.slice(copied)
}

const longestByHand = 64

/** What may follow the first sign of a marker; `*`: the sign is a marker by itself. */
const seconds: Readonly<Record<string, string>> = {
  ":": "*",
  "=": "*",
  "-": "-",
  A: "KSI",
  B: "eEaA",
  b: "eEaA",
  e: "y",
  g: "hil",
  r: "k",
  s: "k",
  x: "o"
}

// By the code of a first sign: 0 begins no marker, 1 is one, any other is a set of second signs by `code & 31`.
const secondSigns = new Int32Array(128)
for (const first in seconds) {
  let set = 0
  for (const second of seconds[first]!) set |= second === "*" ? 1 : 1 << (second.charCodeAt(0) & 31)
  secondSigns[first.charCodeAt(0)] = set
}

/**
 * Whether {@link scrubText} has anything to look at. `false` is certain.
 *
 * **Details**
 *
 * Most texts are short and have nothing. To start a regular expression costs as much as to look at some sixty signs.
 */
export const hasMarker = (text: string): boolean => {
  const { length } = text
  if (length < 3) return false
  if (length <= longestByHand && !mayHaveMarker(text, length)) return false
  marker.lastIndex = 0
  return marker.test(text)
}

const mayHaveMarker = (text: string, length: number): boolean => {
  let set = 0
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (set !== 0 && (set & (1 << (code & 31))) !== 0) return true
    set = code < 128 ? secondSigns[code]! : 0
    if (set === 1) return true
  }
  return false
}

const inspect = (text: string, at: number, hit: string, rules: ScrubRules, isQuery: boolean): Range | undefined => {
  if (hit === ":") {
    if (text.startsWith("//", at + 1) && at > 0 && isNameSign(text, at - 1)) {
      return rules.urls ? inAuthority(text, at + 3, rules.mask) : undefined
    }
    return afterName(text, at, rules)
  }
  if (hit === "=") {
    return (rules.urls ? inQuery(text, at, rules, isQuery) : undefined) ?? afterName(text, at, rules)
  }
  if (!rules.wellKnown || (at > 0 && isNameSign(text, at - 1))) return undefined
  if (hit.startsWith("-----")) return privateKey(text, at, rules.mask)
  if (hit[0] === "B" || hit[0] === "b") {
    const end = tokenEnd(text, at + hit.length)
    return looksRandom(text.slice(at + hit.length, end)) ? { start: at + hit.length, end, by: rules.mask } : undefined
  }
  const end = tokenEnd(text, at)
  return isVendorToken(text.slice(at, end)) ? { start: at, end, by: rules.mask } : undefined
}

const isVendorToken = (token: string): boolean => {
  // A JWT; without its dots it is any base64 of JSON, as in a paging cursor.
  if (token.startsWith("eyJ")) return token.length >= 30 && token.split(".", 4).length >= 3
  if (token.startsWith("AKIA") || token.startsWith("ASIA")) return /^[A-Z0-9]{20}$/.test(token)
  return token.length >= 20 && /[0-9]/.test(token)
}

const privateKey = (text: string, at: number, mask: string): Range | undefined => {
  const headEnd = text.indexOf("-----", at + 11)
  if (headEnd < 0 || headEnd > at + 64 || !text.slice(at, headEnd).includes("PRIVATE KEY")) return undefined
  const foot = text.indexOf("-----END ", headEnd)
  const footEnd = foot < 0 ? -1 : text.indexOf("-----", foot + 9)
  return { start: at, end: footEnd < 0 ? text.length : footEnd + 5, by: mask }
}

/** `user:password@` between `://` and the host. */
const inAuthority = (text: string, from: number, mask: string): Range | undefined => {
  const end = runEnd(text, from, authorityStops)
  const authority = text.slice(from, end)
  let atSign = authority.lastIndexOf("@")
  if (atSign < 0) {
    // A password with an unescaped `/`, `?` or `#` ends the authority early: what looks like a port then is none.
    const colon = authority.indexOf(":")
    if (authority[0] === "[" || colon < 0 || /^[0-9]*$/.test(authority.slice(colon + 1))) {
      return { start: end, end, by: "" }
    }
    const longest = text.slice(from, end + farthestUserinfo)
    atSign = longest.slice(0, runEnd(longest, end - from, urlStops)).lastIndexOf("@")
    if (atSign < 0) return { start: end, end, by: "" }
  }
  const hasPassword = text.slice(from, from + atSign).includes(":")
  return { start: from, end: from + atSign, by: hasPassword ? `${mask}:${mask}` : mask }
}

/** The value behind `?name=` or `&name=`. */
const inQuery = (text: string, at: number, rules: ScrubRules, isQuery: boolean): Range | undefined => {
  let start = at
  while (start > 0 && at - start < farthestName && parameterNameStops[text.charCodeAt(start - 1)] !== 1) start--
  const before = text[start - 1]
  if (start === at || (before !== "?" && before !== "&" && !(isQuery && start === 0))) return undefined
  const name = decode(text.slice(start, at))
  if (!rules.isSecretParameter(name) && !rules.isSecret(name)) return undefined
  const end = runEnd(text, at + 1, parameterStops)
  return end > at + 1 ? { start: at + 1, end, by: rules.mask } : undefined
}

const decode = (name: string): string => {
  if (!name.includes("%")) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

// Prose speaks of these (`unexpected token: end of input`), so behind `: ` their value must look like one.
const softNames = /(?:token|session|jwt)$/i

// The rest of the line is the header's value.
const headerNames = /^(?:(?:proxy-)?authorization|(?:set-)?cookie)$/i

/** The value behind `name=`, `name: ` or `"name":`. */
const afterName = (text: string, at: number, rules: ScrubRules): Range | undefined => {
  const sign = text[at]!
  const after = text[at + 1]
  // `==`, `=>`, `!=`, `<=`: a comparison or an arrow.
  if (sign === "=" && (after === "=" || after === ">" || "=!<>:".includes(text[at - 1] ?? " "))) return undefined
  let end = at
  while (end > 0 && at - end < 3 && isBlank(text[end - 1])) end--
  const quoted = isQuote(text[end - 1])
  if (quoted) end -= text[end - 2] === "\\" ? 2 : 1
  let start = end
  while (start > 0 && end - start < farthestName && isNameSign(text, start - 1)) start--
  if (start === end) return undefined
  const name = text.slice(start, end)
  if (!rules.isSecret(name)) return undefined

  let from = at + 1
  while (isBlank(text[from])) from++
  const value = valueAt(text, from, headerNames.test(name))
  if (value === undefined) return undefined
  const isProse = sign === ":" && !quoted && from > at + 1 && value.start === from && softNames.test(name)
  if (isProse && !looksRandom(text.slice(value.start, value.end))) return undefined
  return { ...value, by: rules.mask }
}

const placeholder = /^(?:\?|\$[0-9]+|%s)$/
const scheme = /^(?:bearer|basic|digest|negotiate|token)$/i

const valueAt = (text: string, from: number, isHeader: boolean): { start: number; end: number } | undefined => {
  const sign = text[from]
  if (isQuote(sign)) return nonEmpty(from + 1, closing(text, from + 1, sign!))
  if (sign === "\\" && isQuote(text[from + 1])) {
    const close = text.indexOf(text.slice(from, from + 2), from + 2)
    return nonEmpty(from + 2, close < 0 ? text.length : close)
  }
  if (sign === "[" || sign === "{") return { start: from, end: bracketEnd(text, from) }
  if (isHeader) return nonEmpty(from, runEnd(text, from, headerStops))
  let end = runEnd(text, from, valueStops)
  if (scheme.test(text.slice(from, end)) && isBlank(text[end])) end = runEnd(text, end + 1, valueStops)
  return placeholder.test(text.slice(from, end)) ? undefined : nonEmpty(from, end)
}

const nonEmpty = (start: number, end: number): { start: number; end: number } | undefined =>
  end > start ? { start, end } : undefined

const closing = (text: string, from: number, quote: string): number => {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at++
    else if (text[at] === quote) return at
  }
  return text.length
}

const bracketEnd = (text: string, from: number): number => {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const sign = text[at]!
    if (sign === "\"") at = closing(text, at + 1, sign)
    else if (sign === "[" || sign === "{") depth++
    else if ((sign === "]" || sign === "}") && --depth === 0) return at + 1
  }
  return text.length
}
