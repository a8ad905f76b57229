/**
 * Which keys hold secrets, by whole words: `user.accessToken` does, `llm.token_count` and `total_tokens` do not.
 */

// One entry is one word or several that follow each other.
const secretWords = [
  "authorization",
  "cookie",
  "cookies",
  "password",
  "passwords",
  "passwd",
  "pwd",
  "passphrase",
  "passcode",
  "secret",
  "secrets",
  "token",
  "jwt",
  "credential",
  "credentials",
  "session",
  "sessionid",
  "jsessionid",
  "phpsessid",
  "connect sid",
  "csrf",
  "xsrf",
  "apikey",
  "api key",
  "x auth",
  "auth key",
  "privatekey",
  "private key",
  "secretkey",
  "accesskey",
  "access key",
  "signing key",
  "encryption key",
  "account key",
  "connection string",
  "accesstoken",
  "authtoken",
  "idtoken",
  "refreshtoken",
  "sessiontoken",
  "clientsecret"
]

// A word behind a secret's word that makes the key speak about the secret: how many, how long, whose, until when.
const aboutWords = new Set(
  ("age algorithm arn attempts budget bytes consent count counts created domain duration enabled endpoint error errors " +
    "exists expired expires expiration expiry index issuer kind length limit limits manager max min missing name " +
    "names namespace path policy position present previous provider rate reason required reset rotation samesite " +
    "size source state status store strength total ttl type updated uri url usage used valid version")
    .split(" ")
)

// `max_token` counts tokens of a language model.
const quantityWords = new Set(["avg", "max", "mean", "min", "num", "per", "total"])

const isLower = (code: number): boolean => code >= 0x61 && code <= 0x7a
const isUpper = (code: number): boolean => code >= 0x41 && code <= 0x5a
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

/** The lowercase words of a key: split at every sign that is no letter or digit, and where camel case turns. */
export const wordsOf = (key: string): Array<string> => {
  const words: Array<string> = []
  let start = 0
  const take = (end: number): void => {
    if (end > start) words.push(key.slice(start, end).toLowerCase())
    start = end
  }
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    if (isUpper(code)) {
      const before = i === 0 ? 0 : key.charCodeAt(i - 1)
      const startsWord = isLower(before) || isDigit(before) ||
        (isUpper(before) && i + 1 < key.length && isLower(key.charCodeAt(i + 1)))
      if (startsWord) take(i)
    } else if (!isLower(code) && !isDigit(code) && code < 0x80) {
      take(i)
      start = i + 1
    }
  }
  take(key.length)
  return words
}

const phrases = new Map<string, Array<ReadonlyArray<string>>>()
for (const entry of secretWords) {
  const words = entry.split(" ")
  const known = phrases.get(words[0]!)
  if (known === undefined) phrases.set(words[0]!, [words])
  else known.push(words)
}

/**
 * Whether a key names a well-known secret.
 *
 * **Details**
 *
 * A secret's word counts wherever it stands, unless the next word says that the key is about the secret
 * (`token.count`, `cookie.domain`). `session.id` as the last two dotted segments is OpenTelemetry's correlation
 * attribute and is kept; `session_id`, `sessionId` and `sessionid` are cookies and parameters and are not.
 */
export const isSecretKey = (key: string): boolean => {
  const words = wordsOf(key)
  for (let i = 0; i < words.length; i++) {
    const candidates = phrases.get(words[i]!)
    if (candidates === undefined) continue
    for (const phrase of candidates) {
      if (!phrase.every((word, offset) => words[i + offset] === word)) continue
      const next = words[i + phrase.length]
      if (next !== undefined && aboutWords.has(next)) continue
      if (phrase[0] === "token" && i > 0 && quantityWords.has(words[i - 1]!)) continue
      if (phrase[0] === "session" && isSessionId(key)) continue
      return true
    }
  }
  return false
}

const isSessionId = (key: string): boolean => key === "session.id" || key.endsWith(".session.id")
