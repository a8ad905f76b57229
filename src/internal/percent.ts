/** Percent-encoding and the character classes of W3C Baggage. Linear, and total: nothing here throws. */

const isUnreserved = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x2d && code <= 0x39) ||
  code === 0x5f || code === 0x7e

// `!#$%&'*+-.^_`|~`, digits and letters.
const tokenMarks = new Set([0x21, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x5e, 0x5f, 0x60, 0x7c, 0x7e])

const isTokenCode = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39) ||
  tokenMarks.has(code)

const isBaggageCode = (code: number): boolean =>
  code > 0x20 && code < 0x7f && code !== 0x22 && code !== 0x2c && code !== 0x3b && code !== 0x5c

const every = (text: string, is: (code: number) => boolean): boolean => {
  for (let i = 0; i < text.length; i++) {
    if (!is(text.charCodeAt(i))) return false
  }
  return true
}

/** Whether `text` is an HTTP token (RFC 9110, section 5.6.2). */
export const isToken = (text: string): boolean => text !== "" && every(text, isTokenCode)

/** Whether `text` holds only the characters of an encoded baggage value. */
export const isBaggageValue = (text: string): boolean => every(text, isBaggageCode)

const hex = (code: number): number =>
  code >= 0x30 && code <= 0x39
    ? code - 0x30
    : code >= 0x41 && code <= 0x46
    ? code - 0x37
    : code >= 0x61 && code <= 0x66
    ? code - 0x57
    : -1

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const encoder = new TextEncoder()

/** Decodes `%xx`; bytes that are not UTF-8 become U+FFFD, and a `%` without two hexadecimal digits stays. */
export const decode = (text: string): string => {
  let percent = text.indexOf("%")
  if (percent < 0) return text
  let out = ""
  let at = 0
  while (percent >= 0) {
    out += text.slice(at, percent)
    at = percent
    const bytes: Array<number> = []
    while (text.charCodeAt(at) === 0x25) {
      const high = hex(text.charCodeAt(at + 1))
      const low = hex(text.charCodeAt(at + 2))
      if (high < 0 || low < 0) break
      bytes.push(high << 4 | low)
      at += 3
    }
    if (bytes.length > 0) out += decoder.decode(new Uint8Array(bytes))
    else {
      out += "%"
      at++
    }
    percent = text.indexOf("%", at)
  }
  return out + text.slice(at)
}

/** Whether every `%` is followed by two hexadecimal digits and the bytes so written are UTF-8. */
export const isDecodable = (text: string): boolean => {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

const escapes = (isPlain: (byte: number) => boolean): ReadonlyArray<string> =>
  Array.from(
    { length: 256 },
    (_, byte) => isPlain(byte) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`
  )

const unreservedOnly = escapes(isUnreserved)
const baggageOctets = escapes((byte) => isBaggageCode(byte) && byte !== 0x25)

const write = (text: string, table: ReadonlyArray<string>): string => {
  if (every(text, isUnreserved)) return text
  let out = ""
  for (const byte of encoder.encode(text)) out += table[byte]!
  return out
}

/** Encodes as UTF-8, escaping all but `A-Z a-z 0-9 - . / _ ~`. A lone surrogate becomes U+FFFD. */
export const encode = (text: string): string => write(text, unreservedOnly)

/** As {@link encode}, escaping only what a baggage value must not hold: never longer than what it was decoded from. */
export const encodeTight = (text: string): string => write(text, baggageOctets)
