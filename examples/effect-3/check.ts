/** What must have arrived. */
import type { ReceivedSpan } from "./receiver.ts"

interface Remote {
  readonly traceId: string
  readonly spanId: string
}

const kinds = ["", "internal", "server", "client", "producer", "consumer"]

const attributeOf = (
  { attributes = [] }: Pick<ReceivedSpan, "attributes">,
  key: string
): string | number | boolean | undefined => {
  const value = attributes.find((attribute) => attribute.key === key)?.value
  return value?.stringValue ?? value?.intValue ?? value?.boolValue
}

/** A line for each span of a trace, children below their parent. */
const lines = (spans: ReadonlyArray<ReceivedSpan>, parent: string, depth = 0): ReadonlyArray<string> =>
  spans.filter(({ parentSpanId }) => parentSpanId === parent).flatMap((span) => {
    const error = attributeOf(span, "error.type")
    return [
      `${"  ".repeat(depth)}${span.name} ${kinds[span.kind]}${error === undefined ? "" : ` ${error}`}`,
      ...lines(spans, span.spanId, depth + 1)
    ]
  })

const rootOf = (spans: ReadonlyArray<ReceivedSpan>): string | undefined =>
  spans.find(({ parentSpanId }) => !spans.some(({ spanId }) => spanId === parentSpanId))?.parentSpanId

export const show = (spans: ReadonlyArray<ReceivedSpan>, traceId: string): string => {
  const trace = spans.filter((span) => span.traceId === traceId)
  return [`trace ${traceId}`, ...lines(trace, rootOf(trace) ?? "", 1)].join("\n")
}

const expected = {
  good: [
    "http.server POST server",
    "  order internal",
    "    http.client POST client",
    "      http.server POST server",
    "        validate internal",
    "        reserve internal",
    "          write to ledger internal"
  ],
  bad: [
    "http.server POST server",
    "  order internal Refused",
    "    http.client POST client",
    "      http.server POST server",
    "        validate internal ParseError"
  ]
}

/** What is not as it should be. */
export const check = ({ outside, received, spans, statuses }: {
  readonly spans: ReadonlyArray<ReceivedSpan>
  readonly outside: { readonly good: Remote; readonly bad: Remote }
  readonly statuses: ReadonlyArray<number>
  readonly received: ReadonlyArray<Readonly<Record<string, string | undefined>>>
}): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const same = (what: string, actual: unknown, wanted: unknown): void => {
    const [a, b] = [JSON.stringify(actual), JSON.stringify(wanted)]
    if (a !== b) problems.push(`${what}: ${a} instead of ${b}`)
  }
  same("answers", statuses, [200, 422])
  same("spans", spans.length, expected.good.length + expected.bad.length)
  for (const key of ["good", "bad"] as const) {
    const trace = spans.filter(({ traceId }) => traceId === outside[key].traceId)
    same(`${key}: tree`, lines(trace, outside[key].spanId), expected[key])
    same(`${key}: tracestate`, [...new Set(trace.map(({ traceState }) => traceState))], ["browser=1"])
    const client = trace.find(({ name }) => name === "http.client POST")
    const headers = received.find(({ traceparent }) => traceparent?.includes(outside[key].traceId))
    same(
      `${key}: what the stock was sent`,
      [headers?.traceparent, headers?.tracestate, headers?.baggage, headers?.b3],
      [
        `00-${outside[key].traceId}-${client?.spanId}-01`,
        "browser=1",
        "customer=7",
        undefined
      ]
    )
  }
  const validate = spans.find((span) => span.name === "validate" && span.traceId === outside.bad.traceId)
  const exception = validate?.events?.find(({ name }) => name === "exception")
  same("the exception", exception === undefined ? undefined : attributeOf(exception, "exception.type"), "ParseError")
  const message = exception === undefined ? undefined : attributeOf(exception, "exception.message")
  if (!String(message).includes("a positive number")) problems.push(`the message: ${message}`)
  const reserve = spans.find(({ name }) => name === "reserve")
  same("an attribute", reserve === undefined ? undefined : attributeOf(reserve, "sku"), "A1")
  const log = spans.flatMap(({ events = [] }) => events).find(({ name }) => name.startsWith("reserving"))
  same("the log line", log?.name, "reserving 2 of A1")
  return problems
}
