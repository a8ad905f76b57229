/** What the collector answers. */
import { both, pair, type Row, withSpool } from "./Row.ts"

const row = (...[id, ...rest]: [string, ...RestOf]): Row => pair(id, "answers", ...rest)
type RestOf = Parameters<typeof pair> extends [string, string, ...infer Rest] ? Rest : never

const final = { a: "counted", b: "arrives", told: true, requests: [2, 2] } as const

const retried = (status: number): Row =>
  row(`status-${status}`, `${status}, once`, String(status), "sent again with jitter", { ...both, told: true })

const refused = (status: number): Row =>
  row(`status-${status}`, `${status}, once`, String(status), "not sent again, counted; b arrives", final)

const redirected = (status: number): Row =>
  row(
    `redirect-${status}`,
    `${status} to another origin, once`,
    `redirect${status}`,
    "not followed, counted; b arrives",
    final,
    {
      headers: { "x-api-key": "canary" }
    }
  )

export const answerRows: ReadonlyArray<Row> = [
  ...[429, 502, 503, 504].map(retried),
  row("retry-after-2", "503, `Retry-After: 2`, once", "retryAfter2", "waits so long", { ...both, aAfter: [6.9, 9.5] }),
  row("retry-after-date", "429, `Retry-After` a date 3 s ahead, once", "retryAfterDate", "waits so long", {
    ...both,
    aAfter: [6.9, 11]
  }),
  row("retry-after-0", "503, `Retry-After: 0`, 20 times", "retryAfter0", "backs off all the same", {
    a: "accounted",
    b: "accounted",
    requests: [2, 12],
    told: true
  }, { contenders: withSpool, wantedWithSpool: both }),
  row("retry-after-junk", "503, `Retry-After: soon`, twice", "retryAfterJunk", "backs off", {
    ...both,
    requests: [2, 5]
  }),
  row("retry-after-30", "503, `Retry-After: 30`, once", "retryAfter30", "holds both, sends them later", {
    ...both,
    aAfter: [34, 44]
  }, { contenders: withSpool, scenario: { life: 46 } }),
  ...[400, 403, 404, 408, 413, 500].map(refused),
  row("status-401", "401, always", "401", "told as a matter of configuration; kept with a spool", {
    a: "accounted",
    b: "accounted",
    told: true
  }, { contenders: withSpool, wantedWithSpool: { ...both, told: true } }),
  redirected(301),
  redirected(307),
  row("partial", "200, one span rejected", "partial", "counted, told, not sent again", {
    ...both,
    requests: [2, 2],
    told: true
  }),
  row("html", "200 with a page of HTML, once", "html", "taken for success, told", {
    ...both,
    requests: [2, 2],
    told: true
  }),
  row("wrong-type", "200 with the other content type, once", "wrongType", "taken for success", {
    ...both,
    requests: [2, 2]
  }),
  row("status-204", "204, once", "204", "taken for success", { ...both, requests: [2, 2] }),
  row("early-hints", "103, then 200, once", "earlyHints", "waits for the 200", { ...both, requests: [2, 2] }),
  row("broken-gzip", "200 with gzip cut off, once", "brokenGzip", "taken for success", { ...both, requests: [2, 2] }),
  row("not-http", "an answer that is not HTTP, once", "notHttp", "counted, told; b arrives", {
    a: "accounted",
    b: "arrives",
    told: true
  }),
  row("huge-answer", "200 with 200 MB, once", "huge", "no more than 4 MiB are read", {
    ...both,
    requests: [2, 2],
    told: true,
    rssAbove: 20e6
  }, { alone: true, scenario: { life: 13 } }),
  row("gzip-bomb", "200 with 300 MB as 300 KB of gzip, once", "bomb", "no more than 4 MiB are unpacked", {
    ...both,
    requests: [2, 2],
    told: true,
    rssAbove: 20e6
  }, { alone: true, scenario: { life: 13 } })
]
