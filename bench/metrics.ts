/**
 * `npm run bench:metrics`: what a measurement costs, and a report of 10,000 series, beside OpenTelemetry JS and Effect.
 * `--rounds n` for other than 5 rounds in each of 3 generations of processes; `--only a,b` for some of the rows.
 */
import { parseArgs } from "node:util"
import { build } from "./build.ts"
import { inTurns } from "./inTurns.ts"
import { describe, machineText } from "./machine.ts"
import { type Figure, figure } from "./statistics.ts"
import { table } from "./table.ts"

const { values: options } = parseArgs({ options: { rounds: { type: "string" }, only: { type: "string" } } })
const rounds = Number(options.rounds ?? 5)

interface Row {
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly ours: string
  readonly peer: string
  readonly peerName: string
  readonly size: number
}

const otel = "OpenTelemetry JS"
const effect = "Effect, `updateUnsafe`"
const update = { unit: "ns", size: 200_000 }

const rows: ReadonlyArray<Row> = [
  {
    ...update,
    id: "counterOne",
    title: "counter, one series",
    ours: "counterOneOurs",
    peer: "counterOneOtel",
    peerName: otel
  },
  {
    ...update,
    id: "counterMany",
    title: "counter, 2,000 series",
    ours: "counterManyOurs",
    peer: "counterManyOtel",
    peerName: otel
  },
  {
    ...update,
    id: "counterBound",
    title: "counter, bound",
    ours: "counterBoundOurs",
    peer: "counterOneOtel",
    peerName: `${otel}, which cannot bind`
  },
  {
    ...update,
    id: "counterEffect",
    title: "counter, bound",
    ours: "counterBoundOurs",
    peer: "counterBoundEffect",
    peerName: effect
  },
  {
    ...update,
    id: "histogramOne",
    title: "histogram, one series",
    ours: "histogramOneOurs",
    peer: "histogramOneOtel",
    peerName: otel
  },
  {
    ...update,
    id: "histogramMany",
    title: "histogram, 2,000 series",
    ours: "histogramManyOurs",
    peer: "histogramManyOtel",
    peerName: otel
  },
  {
    ...update,
    id: "histogramBound",
    title: "histogram, bound",
    ours: "histogramBoundOurs",
    peer: "histogramOneOtel",
    peerName: `${otel}, which cannot bind`
  },
  {
    ...update,
    id: "histogramEffect",
    title: "histogram, bound",
    ours: "histogramBoundOurs",
    peer: "histogramBoundEffect",
    peerName: effect
  },
  {
    ...update,
    id: "histogramSpan",
    title: "histogram, in a sampled span, with exemplars",
    ours: "histogramSpanOurs",
    peer: "histogramOneOtel",
    peerName: `${otel}, which has no exemplars`
  },
  {
    id: "report",
    title: "a report of 10,000 series, in protobuf",
    unit: "µs",
    size: 10_000,
    ours: "reportOurs",
    peer: "reportOtel",
    peerName: otel
  }
]

const number = (value: number): string => value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toFixed(1)
const text = ({ high, low, median }: Figure, unit: string): string =>
  `${number(median)} (${number(low)} to ${number(high)}) ${unit}`

const measure = async (row: Row): Promise<ReadonlyArray<string>> => {
  const { ours, peer } = await inTurns({
    ours: `metrics/${row.ours}`,
    peer: `metrics/${row.peer}`,
    size: row.size,
    generations: 3,
    warmUp: 5,
    rounds
  })()
  const [own, theirs] = [figure(ours), figure(peer)]
  const ratio = (own.median / theirs.median).toFixed(2)
  return [row.title, text(own, row.unit), `${text(theirs, row.unit)}: ${row.peerName}`, ratio]
}

const machine = describe()
build()
const only = options.only?.split(",")
const measured: Array<ReadonlyArray<string>> = []
for (const row of rows.filter(({ id }) => only?.includes(id) ?? true)) measured.push(await measure(row))
console.log(`${machineText(machine())}\n\n${table([["", "ours", "peer", "ratio"], ...measured])}`)
