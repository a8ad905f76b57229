/** Changes what instruments report, without the code that has them (`metrics/sdk.md#view`). */
import { glob } from "../internal/pattern.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { Aggregation, InstrumentKind } from "./Aggregation.ts"
import type { ExemplarReservoir } from "./Exemplars.ts"

/** Which instruments a view is for: those that meet all of what is given. */
export interface InstrumentSelector {
  /** Whatever the case; `*` stands for any text and `?` for one character. */
  readonly name?: string | undefined
  readonly kind?: InstrumentKind | undefined
  readonly unit?: string | undefined
  readonly meterName?: string | undefined
  readonly meterVersion?: string | undefined
  readonly meterSchemaUrl?: string | undefined
}

/** What is selected, and what becomes of it. What is left out stays as it is. */
export interface View {
  readonly select: InstrumentSelector
  /** Only for a selector that names one instrument. */
  readonly name?: string | undefined
  readonly description?: string | undefined
  /** The only attribute keys that are kept. */
  readonly attributeKeys?: ReadonlyArray<string> | undefined
  /** Attribute keys that are left out. */
  readonly excludedAttributeKeys?: ReadonlyArray<string> | undefined
  readonly aggregation?: Aggregation | undefined
  /** Most series beside the one for overflow. */
  readonly cardinalityLimit?: number | undefined
  /** Makes the reservoir of each series; `buckets` is 1 but for explicit histograms. */
  readonly exemplarReservoir?: ((buckets: number) => ExemplarReservoir) | undefined
}

/** What a selector looks at. */
export interface Selectable {
  readonly name: string
  readonly kind: InstrumentKind
  readonly unit: string
  readonly scope: InstrumentationScope
}

/** Whether `selector` selects an instrument. */
export const matches = (selector: InstrumentSelector, instrument: Selectable): boolean =>
  (selector.name === undefined || glob(selector.name.toLowerCase())(instrument.name.toLowerCase())) &&
  (selector.kind === undefined || selector.kind === instrument.kind) &&
  (selector.unit === undefined || selector.unit === instrument.unit) &&
  (selector.meterName === undefined || selector.meterName === instrument.scope.name) &&
  (selector.meterVersion === undefined || selector.meterVersion === instrument.scope.version) &&
  (selector.meterSchemaUrl === undefined || selector.meterSchemaUrl === instrument.scope.schemaUrl)

/** What is wrong with a view and what is allowed, or `undefined`. */
export const problem = (view: View): string | undefined => {
  if (view.name !== undefined && (view.select.name === undefined || /[*?]/.test(view.select.name))) {
    return `name is ${JSON.stringify(view.name)}, yet select.name is not the name of one instrument`
  }
  const { aggregation, cardinalityLimit } = view
  if (cardinalityLimit !== undefined && !(Number.isSafeInteger(cardinalityLimit) && cardinalityLimit >= 1)) {
    return `cardinalityLimit is ${cardinalityLimit}; expected an integer of 1 or more`
  }
  if (aggregation?.type === "explicitBucketHistogram" && aggregation.bounds !== undefined) {
    return isAscending(aggregation.bounds) ? undefined : "aggregation.bounds must be finite and ascend"
  }
  if (aggregation?.type === "exponentialHistogram") {
    const { maxScale = 20, maxSize = 160 } = aggregation
    if (!(Number.isInteger(maxSize) && maxSize >= 2 && maxSize <= 16_384)) {
      return `aggregation.maxSize is ${maxSize}; expected an integer from 2 to 16384`
    }
    if (!(Number.isInteger(maxScale) && maxScale >= -10 && maxScale <= 20)) {
      return `aggregation.maxScale is ${maxScale}; expected an integer from -10 to 20`
    }
  }
  return undefined
}

/** Whether these can be the bounds of a histogram. */
export const isAscending = (bounds: ReadonlyArray<number>): boolean =>
  bounds.every((bound, i) => Number.isFinite(bound) && (i === 0 || bound > bounds[i - 1]!))
