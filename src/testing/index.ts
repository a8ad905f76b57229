/** The test kit: spans in memory, and expectations on trees and on sequences of them. */
export { ExpectationError, type Mismatch, type Mismatches } from "./ExpectationError.ts"
export {
  ended,
  event,
  expectSequence,
  matchSequence,
  type SequenceOptions,
  started,
  type Step
} from "./SequenceExpectation.ts"
export type {
  AttributeExpectation,
  AttributesExpectation,
  EventExpectation,
  SpanExpectation,
  TextExpectation
} from "./SpanExpectation.ts"
export * as SpanTree from "./SpanTree.ts"
export * as TestTelemetry from "./TestTelemetry.ts"
export {
  type ChildrenExpectation,
  expectTree,
  type ForestExpectation,
  matchTree,
  type TreeExpectation
} from "./TreeExpectation.ts"
