/** The way to the collector: connections, names, addresses. */
import { both, pair, type Row, withSpool } from "./Row.ts"

const row = (...[id, ...rest]: [string, ...RestOf]): Row => pair(id, "connection", ...rest)
type RestOf = Parameters<typeof pair> extends [string, string, ...infer Rest] ? Rest : never

export const connectionRows: ReadonlyArray<Row> = [
  row("healthy", "no fault", "none", "both arrive", { ...both, requests: [2, 2] }, { contenders: withSpool }),
  row("refused", "connection refused, always", "nobody", "tried again with jitter; all kept with a spool", {
    a: "accounted",
    b: "accounted",
    told: true
  }, { contenders: withSpool, wantedWithSpool: { ...both, told: true } }),
  row("outage", "connection refused for 12 s", "nobody", "both arrive when it is over", { ...both, told: true }, {
    contenders: withSpool,
    heals: 12,
    scenario: { life: 30 }
  }),
  row("long-outage", "connection refused for 25 s", "nobody", "both arrive when it is over", { ...both, told: true }, {
    contenders: withSpool,
    heals: 25,
    scenario: { life: 75 }
  }),
  row("reset-in-body", "reset within the request of 400 KB, once", "resetInBody", "sent again", both, {
    scenario: { cargo: "large" }
  }),
  row("reset-after-body", "reset after the request, no answer, once", "resetAfterBody", "sent again", both),
  row("reset-in-answer", "reset within an answer of 200, once", "resetInAnswer", "arrives; twice is allowed", {
    ...both,
    duplicates: 1
  }),
  row("hang", "no answer, once", "hangOnce", "given up after 10 s and sent again", both, {
    contenders: withSpool,
    scenario: { life: 24 }
  }),
  row("slow-answer", "an answer of one byte a second, always", "slowAnswer", "given up after 10 s; b is tried too", {
    a: "accounted",
    b: "accounted",
    requests: [2, 9],
    told: true
  }, { contenders: withSpool, scenario: { life: 30 }, wantedWithSpool: both }),
  row(
    "slow-reading",
    "400 KB are read at 4 KB a second, once",
    "slowReading",
    "given up after 10 s and sent again",
    both,
    {
      contenders: withSpool,
      scenario: { cargo: "large", life: 24 }
    }
  ),
  row("stale-connection", "a kept connection proves closed", "oneEach", "b is sent again at once", {
    ...both,
    bAfter: [0, 5.5]
  }),
  row("tls", "a certificate nobody vouches for", "untrusted", "told as a matter of configuration; kept with a spool", {
    a: "accounted",
    b: "accounted",
    told: true
  }, {
    contenders: withSpool,
    wantedWithSpool: { ...both, told: true },
    successorEnvironment: { NODE_TLS_REJECT_UNAUTHORIZED: "0" }
  }),
  row("http2-only", "a server that speaks HTTP/2 only", "http2", "told, counted", {
    a: "accounted",
    b: "accounted",
    told: true
  }),
  row("dns-fails", "the name is never found", "none", "tried again; kept with a spool", {
    a: "accounted",
    b: "accounted",
    told: true
  }, { contenders: withSpool, lookup: "fails", wantedWithSpool: { ...both, told: true } }),
  row("dns-flaps", "the name fails, fails, is stale, is right, fails", "closing", "both arrive", {
    ...both,
    told: true
  }, {
    lookup: "flaps",
    scenario: { life: 24 }
  }),
  row("ipv6-blackhole", "IPv6 comes first and swallows packets", "blackhole", "both arrive by IPv4", {
    ...both,
    aAfter: [0, 6.5]
  }, { lookup: "both families" }),
  row("proxy-407", "407 from a proxy, once", "407", "counted; b arrives", { a: "counted", b: "arrives", told: true })
]
