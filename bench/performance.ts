/** `docs/performance.md`: single figures beside what was asked, and curves of growth. */
import { type CurveInfo, curves, measureCurve, type Point } from "./growth.ts"
import { type FigureInfo, type FigureResult, figures, measureFigure, verdict } from "./figures.ts"
import { type Machine, machineText } from "./machine.ts"
import { table } from "./table.ts"

/** The kept results of `--figures`. */
export interface Performance {
  readonly date: string
  readonly machine: Machine
  readonly figures: Readonly<Record<string, FigureResult>>
  readonly curves: Readonly<Record<string, ReadonlyArray<Point>>>
}

/** Every figure and curve, by its id. */
export const performanceIds: ReadonlyArray<string> = [...figures, ...curves].map(({ id }) => id)

export const measurePerformance = async (
  ids: ReadonlyArray<string>,
  describe: () => Machine,
  date: string,
  tell: (text: string) => void
): Promise<Performance> => {
  const measuredFigures: Record<string, FigureResult> = {}
  for (const info of figures.filter(({ id }) => ids.includes(id))) {
    tell(`figure: ${info.title}`)
    measuredFigures[info.id] = await measureFigure(info)
  }
  const measuredCurves: Record<string, ReadonlyArray<Point>> = {}
  for (const info of curves.filter(({ id }) => ids.includes(id))) {
    tell(`growth: ${info.title}`)
    measuredCurves[info.id] = await measureCurve(info)
  }
  tell("")
  return { date, machine: describe(), figures: measuredFigures, curves: measuredCurves }
}

const number = (value: number): string =>
  Math.abs(value) >= 100
    ? Math.round(value).toLocaleString("en-US")
    : value.toFixed(Math.abs(value) >= 10 ? 1 : 2)

const spread = ({ high, low, median }: FigureResult["ours"], unit: string): string =>
  `${number(median)} (${number(low)} to ${number(high)}) ${unit}`

const figureRow = (info: FigureInfo, result: FigureResult): ReadonlyArray<string> => {
  const { asked, met } = verdict(info, result)
  return [
    info.title,
    spread(result.ours, info.unit),
    `${spread(result.peer, info.unit)}: ${info.peer}`,
    (result.ours.median / result.peer.median).toFixed(2),
    `${asked}: ${met ? "met" : "**not met**"}`
  ]
}

const barLength = 40

/** A curve as text: a bar for each point. */
const curveText = ({ axis, title, unit }: CurveInfo, points: ReadonlyArray<Point>): string => {
  const most = Math.max(...points.map(([, value]) => value), 1)
  const sizeWidth = Math.max(...points.map(([size]) => whole(size).length))
  const valueWidth = Math.max(...points.map(([, value]) => number(value).length))
  const lines = points.map(([size, value]) => {
    const bar = "█".repeat(Math.max(0, Math.round(value / most * barLength)))
    return `${whole(size).padStart(sizeWidth)} ${axis}  ${number(value).padStart(valueWidth)} ${unit}  ${bar}`
      .trimEnd()
  })
  return [`${title[0]!.toUpperCase()}${title.slice(1)}:`, "", "```text", ...lines, "```"].join("\n")
}

const whole = (value: number): string => value.toLocaleString("en-US")

/** The report. */
export const performanceReport = (results: Performance): string =>
  [
    `\`npm run bench -- --figures\` on ${results.date.slice(0, 10)}: ${machineText(results.machine)}.`,
    "CPU of the whole process for each span, or what the line names: medians and quartiles of rounds in which ours and "
    + "the peer take turns, each in a process of its own, in several generations of processes.",
    table([
      ["", "ours", "peer", "ratio", "asked"],
      ...figures.flatMap((info) => {
        const result = results.figures[info.id]
        return result === undefined ? [] : [figureRow(info, result)]
      })
    ]),
    ...curves.flatMap((info) => {
      const points = results.curves[info.id]
      return points === undefined ? [] : [curveText(info, points)]
    })
  ].join("\n\n")
