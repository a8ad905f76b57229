/** In which figures a rival does better. */
import { type ContenderInfo, contenders } from "./contenders/contenders.ts"
import type { Losses, Result, Results } from "./results.ts"

interface Aspect {
  readonly name: string
  readonly of: (result: Result) => number | undefined
  /** A rival must be better by this factor: less is noise. */
  readonly margin: number
  readonly text: (value: number) => string
  /** Whether contenders of different encodings can be compared. */
  readonly anyEncoding: boolean
}

const share = ({ lost, made }: Losses): number => lost / made
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`

const aspects: ReadonlyArray<Aspect> = [
  {
    name: "CPU per span above no-op",
    of: (result) => result.above?.median,
    margin: 1.05,
    text: (value) => `${value.toFixed(2)} µs`,
    anyEncoding: true
  },
  {
    name: "bytes per span",
    of: (result) => result.bytesPerSpan,
    margin: 1.01,
    text: (value) => value.toFixed(0),
    anyEncoding: false
  },
  {
    name: "peak memory",
    of: (result) => result.peakRss,
    margin: 1.05,
    text: (value) => `${(value / 2 ** 20).toFixed(0)} MiB`,
    anyEncoding: true
  },
  {
    name: "event-loop delay p99.9",
    of: (result) => result.paced.p999.median,
    margin: 1.1,
    text: (value) => `${value.toFixed(2)} ms`,
    anyEncoding: true
  },
  {
    name: "spans lost at an even rate",
    of: (result) => share(result.paced.losses),
    margin: 1,
    text: percent,
    anyEncoding: true
  },
  {
    name: "longest stall in the burst",
    of: (result) => result.burst.stall,
    margin: 1.1,
    text: (value) => `${value.toFixed(1)} ms`,
    anyEncoding: true
  },
  {
    name: "spans lost in the burst",
    of: (result) => share(result.burst.losses),
    margin: 1,
    text: percent,
    anyEncoding: true
  }
]

const comparable = (aspect: Aspect, ours: ContenderInfo, rival: ContenderInfo): boolean =>
  rival.role === "rival" && rival.exports && rival.program === ours.program
  && (aspect.anyEncoding || rival.encoding === ours.encoding)

/** One line for each figure of ours that an exporting rival in the same program betters. */
export const rivalsAhead = (results: Results): ReadonlyArray<string> =>
  aspects.flatMap((aspect) =>
    contenders.filter((info) => info.role === "ours").flatMap((ours) => {
      const result = results.contenders[ours.id]
      const own = result === undefined ? undefined : aspect.of(result)
      if (own === undefined) return []
      const ahead = contenders.filter((info) => comparable(aspect, ours, info)).flatMap((rival) => {
        const other = results.contenders[rival.id]
        const theirs = other === undefined ? undefined : aspect.of(other)
        return theirs !== undefined && theirs * aspect.margin < own ? [`${rival.name}: ${aspect.text(theirs)}`] : []
      })
      return ahead.length === 0 ? [] : [`${aspect.name}: ${aspect.text(own)} of ${ours.name}; ${ahead.join("; ")}`]
    })
  )
