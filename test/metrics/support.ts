import * as Effect from "effect/Effect"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import type { MetricData, MetricPoints } from "../../src/model/MetricData.ts"
import * as MeterProvider from "../../src/metrics/MeterProvider.ts"

/** A provider with one reader, and what it complained of. */
export const setup = Effect.fnUntraced(function*(
  preferences?: MeterProvider.ReaderPreferences,
  options?: MeterProvider.MeterProviderOptions
) {
  const lines: Array<string> = []
  const provider = yield* Effect.provideService(
    MeterProvider.make(options),
    Diagnostics.Diagnostics,
    Diagnostics.make({ write: (line) => lines.push(line) })
  )
  const reader = provider.addReader(preferences)
  return { lines, provider, reader, meter: provider.getMeter("test", { version: "1" }) }
})

export const metric = (metrics: ReadonlyArray<MetricData>, name: string): MetricPoints => {
  const found = metrics.filter((metric) => metric.name === name)
  if (found.length !== 1) throw new Error(`${found.length} metrics of the name ${name}`)
  return found[0]!.data
}

/** Value, or count and sum, of each point, by what `label` makes of its attributes. */
export const values = (data: MetricPoints): ReadonlyArray<readonly [object, unknown]> =>
  data.points.map((point) => [
    { ...point.attributes },
    "value" in point ? point.value : [point.count, point.sum]
  ])

export const total = (data: MetricPoints | undefined): number =>
  (data?.points ?? []).reduce((sum, point) => sum + Number("value" in point ? point.value : point.count), 0)
