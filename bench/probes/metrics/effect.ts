/** Effect's own metrics, updated without an effect. */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import { attributesOf } from "./cases.ts"

const context = Context.make(Metric.MetricRegistry, new Map())
const attributes = Object.fromEntries(
  Object.entries(attributesOf("/orders/0/items")).map(([key, value]) => [key, String(value)])
)
const counter = Metric.withAttributes(Metric.counter("requests", { incremental: true }), attributes)
const histogram = Metric.withAttributes(
  Metric.histogram("duration", {
    boundaries: [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000]
  }),
  attributes
)

export const add = (value: number): void => counter.updateUnsafe(value, context)
export const record = (value: number): void => histogram.updateUnsafe(value, context)
