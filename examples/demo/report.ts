/** What the spans and the books say. */
import type { SignalSnapshot } from "effect-telemetry/diagnostics/Ledger"
import { renderTrace } from "effect-telemetry/exporters/TraceRenderer"
import { fromSpans, serviceOf, type TraceTree } from "effect-telemetry/exporters/TraceTree"
import type { SpanData } from "effect-telemetry/model/SpanData"
import { type ServiceName, services } from "./shop.ts"
import { color, milliseconds, table, unicode, width } from "./terminal.ts"

export type Books = Readonly<Record<ServiceName, SignalSnapshot>>

const lasted = (span: SpanData): number => Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6

const isCustomerRequest = (span: SpanData): boolean =>
  serviceOf(span) === "web" && span.kind === "SERVER" && span.parentSpanId === undefined

/** The requests of customers, as their spans tell. */
export const customerRequests = (spans: ReadonlyArray<SpanData>): ReadonlyArray<SpanData> =>
  spans.filter(isCustomerRequest)

const servicesOf = (spans: ReadonlyArray<SpanData>): number => new Set(spans.map(serviceOf)).size

/** The trace that tells most: of a failed request that all services took part in, the one with most spans. */
export const chooseTrace = (spans: ReadonlyArray<SpanData>): ReadonlyArray<SpanData> => {
  const byTrace = new Map<string, Array<SpanData>>()
  for (const span of spans) {
    const known = byTrace.get(span.traceId)
    if (known === undefined) byTrace.set(span.traceId, [span])
    else known.push(span)
  }
  const rank = (trace: ReadonlyArray<SpanData>): number =>
    servicesOf(trace) * 1_000_000 +
    (trace.some((span) => isCustomerRequest(span) && span.status.code === "ERROR") ? 100_000 : 0) + trace.length
  return [...byTrace.values()].sort((left, right) => rank(right) - rank(left))[0] ?? []
}

/** Why `trace` is not one tree across all services; `undefined` if it is. */
export const flawOf = (trace: ReadonlyArray<SpanData>): string | undefined => {
  const [tree, ...others] = fromSpans(trace) as ReadonlyArray<TraceTree>
  if (tree === undefined) return "no trace arrived"
  if (others.length > 0) return `${others.length + 1} traces instead of one`
  if (tree.roots.length !== 1) return `${tree.roots.length} roots instead of one`
  if (tree.missing.length > 0) return `${tree.missing.length} spans whose parent did not arrive`
  if (servicesOf(trace) !== services.length) return `${servicesOf(trace)} services instead of ${services.length}`
  return undefined
}

export const traceText = (trace: ReadonlyArray<SpanData>): string =>
  renderTrace(trace, {
    width,
    color,
    unicode,
    attributes: ["sku", "cart.total", "card.token", "order.id", "payment.card"]
  })

const quantile = (sorted: ReadonlyArray<number>, q: number): number =>
  sorted[Math.min(Math.ceil(q * sorted.length), sorted.length) - 1] ?? 0

/** Requests for each route: how many, how they went, how long they took. */
export const routesText = (spans: ReadonlyArray<SpanData>): string => {
  const byRoute = new Map<string, Array<SpanData>>()
  for (const span of customerRequests(spans)) {
    const known = byRoute.get(span.name)
    if (known === undefined) byRoute.set(span.name, [span])
    else known.push(span)
  }
  const rows = [...byRoute].sort(([left], [right]) => left < right ? -1 : 1).map(([route, requests]) => {
    const times = requests.map(lasted).sort((left, right) => left - right)
    const refused = requests.filter((span) => {
      const status = Number(span.attributes["http.response.status_code"])
      return status >= 400 && status < 500
    }).length
    const errors = requests.filter((span) => span.status.code === "ERROR").length
    return { route, requests: requests.length, refused, errors, times }
  })
  const time = (q: number) => ({ times }: typeof rows[number]) => milliseconds(quantile(times, q))
  return table<typeof rows[number]>([
    { title: "route", align: "left", cell: ({ route }) => route, paint: () => "cyan" },
    { title: "requests", cell: ({ requests }) => String(requests) },
    {
      title: "refused",
      cell: ({ refused }) => String(refused),
      paint: ({ refused }) => refused > 0 ? "yellow" : "dim"
    },
    { title: "errors", cell: ({ errors }) => String(errors), paint: ({ errors }) => errors > 0 ? "red" : "dim" },
    { title: "p50", cell: time(0.5) },
    { title: "p95", cell: time(0.95) },
    { title: "max", cell: time(1) }
  ], rows)
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0)

/** What became of the spans of one service. */
export const accountOf = (books: SignalSnapshot) => {
  const [destination] = books.destinations
  return {
    created: books.created,
    sampledOut: books.sampledOut + (destination?.sampledOut ?? 0),
    exported: destination?.exported ?? 0,
    rejected: sum(destination?.rejected ?? {}),
    dropped: sum(destination?.dropped ?? {}),
    /** Still open or on their way; zero once a service has stopped. */
    left: books.open + (destination?.queued ?? 0) + (destination?.spooled ?? 0),
    unaccounted: destination?.unaccounted ?? books.created
  }
}

const isLog = (event: SpanData["events"][number]): boolean => event.attributes["effect.logLevel"] !== undefined

/** How many events of each sort came with the spans. */
export const eventsText = (spans: ReadonlyArray<SpanData>): string => {
  const events = spans.flatMap((span) => span.events)
  const exceptions = events.filter((event) => event.name === "exception")
  return `with them ${
    events.filter(isLog).length
  } log lines and ${exceptions.length} exceptions, as events of their spans`
}

export const booksText = (
  books: Books,
  requests: ReadonlyMap<string, number>,
  received: (service: ServiceName) => number
): string => {
  const rows = services.map((service) => ({
    service,
    ...accountOf(books[service]),
    requests: requests.get(service) ?? 0,
    received: received(service)
  }))
  const count = (title: string, of: (row: typeof rows[number]) => number, loud?: "red" | "yellow") => ({
    title,
    cell: (row: typeof rows[number]) => String(of(row)),
    paint: (row: typeof rows[number]) => of(row) === 0 ? "dim" as const : loud ?? "plain" as const
  })
  return table<typeof rows[number]>([
    { title: "service", align: "left", cell: ({ service }) => service, paint: () => "cyan" },
    count("created", (row) => row.created),
    count("sampled out", (row) => row.sampledOut, "yellow"),
    count("exported", (row) => row.exported),
    count("rejected", (row) => row.rejected, "red"),
    count("dropped", (row) => row.dropped, "red"),
    count("requests", (row) => row.requests),
    count("arrived", (row) => row.received)
  ], rows)
}
