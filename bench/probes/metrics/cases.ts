/** What is measured of metrics: three attributes in a fresh object for each call, as an instrumented server gives them. */
import { cpuNanos, type Probe } from "../Probe.ts"

export type Attributes = Record<string, string | number>

const routes = Array.from({ length: 2_000 }, (_, i) => `/orders/${i}/items`)

export const attributesOf = (route: string): Attributes => ({
  "http.request.method": "GET",
  "http.route": route,
  "http.response.status_code": 200
})

export type Record3 = (value: number, attributes: Attributes) => void

/** Values that a histogram finds in several buckets. */
const valueOf = (i: number): number => (i * 7919) % 1_000 + 1

/** One series. */
export const one = (record: Record3): Probe => ({
  sample: (size) =>
    cpuNanos(size, async () => {
      for (let i = 0; i < size; i++) record(valueOf(i), attributesOf(routes[0]!))
    })
})

/** Two thousand series, in turns. */
export const many = (record: Record3): Probe => ({
  sample: (size) =>
    cpuNanos(size, async () => {
      for (let i = 0; i < size; i++) record(valueOf(i), attributesOf(routes[i % routes.length]!))
    })
})

/** One series that was found before. */
export const bound = (record: (value: number) => void): Probe => ({
  sample: (size) =>
    cpuNanos(size, async () => {
      for (let i = 0; i < size; i++) record(valueOf(i))
    })
})

/** Reports of `size` series, in microseconds for each report. */
export const report = (record: Record3, collect: () => Promise<{ readonly length: number }>): Probe => {
  let filled = 0
  return {
    sample: async (size) => {
      for (; filled < size; filled++) record(1, attributesOf(`/orders/${filled}`))
      return await cpuNanos(1, async () => {
        const body = await collect()
        if (body.length < size * 50) throw new Error(`a report of ${body.length} bytes`)
      }) / 1_000
    }
  }
}
