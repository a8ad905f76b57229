/** Which hosts are told of a context. */

/** Who may be sent what. `to` is a URL, absolute or relative to this program's own. */
export interface Outbound {
  readonly trace: (to: string | URL) => boolean
  readonly baggage: (to: string | URL) => boolean
}

/** A host name, one with `*.` before it for those below it, either with a port if one is meant, or one of two words. */
export const isHostPattern = (text: string): boolean =>
  text.length <= 260 && (
    /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*(:\d{1,5})?$/i.test(text) || /^\[[0-9a-f:.]{2,45}\](:\d{1,5})?$/i.test(text)
  )

const internalSuffixes = [".localhost", ".local", ".internal", ".svc", ".home.arpa"]

/** Whether a host can be of this machine or a private network only, by its name or address alone. */
const isInternal = (host: string): boolean => {
  if (host.startsWith("[")) return host === "[::1]" || /^\[f(c|d|e[89ab])[0-9a-f]{0,2}:/.test(host)
  if (!host.includes(".")) return true
  const address = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(host)
  if (address === null) return internalSuffixes.some((suffix) => host.endsWith(suffix))
  const [first, second] = [Number(address[1]), Number(address[2])]
  return first === 10 || first === 127 || (first === 172 && second >= 16 && second <= 31) ||
    (first === 192 && second === 168)
}

const ports: Readonly<Record<string, string>> = { "http:": "80", "https:": "443", "ws:": "80", "wss:": "443" }

interface Destination {
  readonly host: string
  readonly port: string
}

/** `undefined` for what is no absolute URL: a place within the program's own. */
const destinationOf = (to: string | URL): Destination | undefined => {
  const text = String(to)
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  return { host: url.hostname.replace(/\.$/, ""), port: url.port === "" ? ports[url.protocol] ?? "" : url.port }
}

const matches = (pattern: string): (destination: Destination) => boolean => {
  if (pattern === "internal") return ({ host }) => isInternal(host)
  const colon = pattern.endsWith("]") ? -1 : pattern.lastIndexOf(":")
  const name = (colon < 0 ? pattern : pattern.slice(0, colon)).toLowerCase()
  const port = colon < 0 ? undefined : pattern.slice(colon + 1)
  const isHost = name.startsWith("*.")
    ? (host: string) => host.endsWith(name.slice(1))
    : (host: string) => host === name
  return (destination) => isHost(destination.host) && (port === undefined || port === destination.port)
}

const compileList = (patterns: ReadonlyArray<string>): (to: string | URL) => boolean => {
  if (patterns.includes("all")) return () => true
  if (patterns.length === 0) return () => false
  const tests = patterns.map(matches)
  return (to) => {
    const destination = destinationOf(to)
    return destination === undefined || tests.some((test) => test(destination))
  }
}

/** Makes it of lists of patterns, each with `all` and `internal` as words for many. */
export const compile = (options: {
  readonly trace: ReadonlyArray<string>
  readonly baggage: ReadonlyArray<string>
}): Outbound => ({ trace: compileList(options.trace), baggage: compileList(options.baggage) })
