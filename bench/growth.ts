/** Curves: what a span costs as a program grows. They should be flat, or as steep as what grows. */
import { startProbe } from "./processes.ts"
import { figure } from "./statistics.ts"

/** What is measured. */
export interface CurveInfo {
  readonly id: string
  readonly title: string
  /** What grows. */
  readonly axis: string
  readonly unit: string
  readonly probe: string
  readonly sizes: ReadonlyArray<number>
}

/** One point: the size, and the median. */
export type Point = readonly [size: number, value: number]

export const curves: ReadonlyArray<CurveInfo> = [
  {
    id: "spans",
    title: "spans made one after the other",
    axis: "spans",
    unit: "ns per span",
    probe: "growthSpans",
    sizes: [10, 100, 1_000, 10_000, 100_000, 1_000_000]
  },
  {
    id: "attributes",
    title: "attributes of each span",
    axis: "attributes",
    unit: "ns per span",
    probe: "growthAttributes",
    sizes: [0, 1, 2, 4, 8, 16, 32, 64, 128]
  },
  {
    id: "depth",
    title: "spans within spans",
    axis: "depth",
    unit: "ns per span",
    probe: "growthDepth",
    sizes: [1, 10, 100, 1_000, 10_000]
  },
  {
    id: "fibers",
    title: "fibers at a time, each with a span",
    axis: "fibers",
    unit: "ns per span",
    probe: "growthFibers",
    sizes: [1, 10, 100, 1_000, 10_000]
  },
  {
    id: "ancestors",
    title: "ended ancestors of a live span, each with 10 kB of attributes",
    axis: "ancestors",
    unit: "bytes held",
    probe: "growthAncestors",
    sizes: [1, 10, 100, 1_000]
  }
]

const warmUp = 4
const rounds = 7

/** Measures one curve; each round goes through all sizes, so that a slow moment of the machine meets them alike. */
export const measureCurve = async ({ probe, sizes }: CurveInfo): Promise<ReadonlyArray<Point>> => {
  const process = await startProbe(probe)
  try {
    const values = sizes.map((): Array<number> => [])
    for (let round = 0; round < warmUp + rounds; round++) {
      for (const [i, size] of sizes.entries()) {
        const value = await process.sample(size)
        if (round >= warmUp) values[i]!.push(value)
      }
    }
    return sizes.map((size, i): Point => [size, figure(values[i]!).median])
  } finally {
    process.stop()
  }
}
