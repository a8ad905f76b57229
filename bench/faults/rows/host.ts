/** The host: its load, its clock, its event loop, its configuration, and its shutdown. */
import { both, pair, type Row, withSpool } from "./Row.ts"

const row = (...[id, ...rest]: [string, ...RestOf]): Row => pair(id, "host", ...rest)
type RestOf = Parameters<typeof pair> extends [string, string, ...infer Rest] ? Rest : never

const clock = (id: string, title: string, seconds: number): Row =>
  row(id, title, "unavailableThrice", "waits and durations as ever", { ...both, across: [0.9, 1.5] }, {
    // Between the first refusal and the attempts that follow it.
    scenario: { incidents: [{ at: 5.2, what: "jump", seconds }], across: true }
  })

const closing = (id: string, title: string, fault: string): Row => ({
  id,
  group: "host",
  title,
  fault,
  scenario: { kind: "close", count: 100 },
  contenders: withSpool,
  asks: "closes within 3 s; all kept with a spool",
  wanted: { all: "accounted", told: true },
  wantedWithSpool: { all: "arrives" }
})

export const hostRows: ReadonlyArray<Row> = [
  {
    id: "flood",
    group: "host",
    title: "5,000 spans/s for 25 s, no answer",
    fault: "hang",
    scenario: { kind: "flood", rate: 5_000, life: 25 },
    contenders: withSpool,
    asks: "memory at its bound, one request at a time, every loss counted",
    wanted: { all: "accounted", told: true, rssAbove: 80e6, requests: [1, 4] },
    wantedWithSpool: { all: "arrives" },
    alone: true
  },
  {
    id: "burst",
    group: "host",
    title: "10,000 spans in one tick",
    fault: "none",
    scenario: { kind: "burst", count: 10_000, life: 8 },
    contenders: withSpool,
    asks: "what finds no room is counted; all kept with a spool",
    wanted: { all: "accounted", told: true },
    wantedWithSpool: { all: "arrives" },
    alone: true
  },
  row("loop-blocked", "the event loop is held for 12 s while an answer is due", "late", "one delivery", {
    ...both,
    requests: [2, 2]
  }, { scenario: { life: 28, incidents: [{ at: 5.5, what: "block", seconds: 12 }] } }),
  row("suspended", "the process is suspended for 12 s while an answer is due", "late", "one delivery", {
    ...both,
    requests: [2, 2]
  }, { scenario: { life: 28 }, suspends: [5.5, 12] }),
  clock("clock-ahead", "503 three times; the clock jumps an hour ahead", 3_600),
  clock("clock-back", "503 three times; the clock jumps an hour back", -3_600),
  row("hostile-values", "attributes that cannot be written down", "none", "both arrive", both, {
    scenario: { cargo: "hostile" }
  }),
  row("junk-environment", "no name of the service, junk in `OTEL_*`", "none", "both arrive, told", {
    ...both,
    told: true
  }, {
    named: false,
    environment: {
      OTEL_BSP_MAX_QUEUE_SIZE: "many",
      OTEL_TRACES_SAMPLER: "lottery",
      OTEL_RESOURCE_ATTRIBUTES: "%%%",
      OTEL_EXPORTER_OTLP_HEADERS: "broken",
      OTEL_EXPORTER_OTLP_TIMEOUT: "soon"
    }
  }),
  closing("shutdown-hung", "100 spans, then a shutdown: no answer", "hang"),
  closing("shutdown-refused", "100 spans, then a shutdown: connection refused", "nobody"),
  closing("shutdown-503", "100 spans, then a shutdown: 503", "unavailable")
]
