/** What the laws of the way to a destination have in common: programs, limits of the batcher, and options of the exporter. */
import * as Schema from "effect/Schema"
import { Fault } from "../delivery/faults.ts"

export const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const make = Schema.Struct({ action: Schema.Literal("make"), count: between(1, 25), size: between(0, 1_500) })
const wait = Schema.Struct({ action: Schema.Literal("wait"), millis: between(0, 60_000) })

/** Items are made, time passes, and one of `others` is done. */
export const actions = <const Others extends ReadonlyArray<string>>(others: Others) =>
  Schema.Array(Schema.Union([make, make, wait, wait, Schema.Struct({ action: Schema.Literals(others) })])).check(
    Schema.isMinLength(4),
    Schema.isMaxLength(16)
  )

export const faults = Schema.Array(Fault).check(Schema.isMinLength(4), Schema.isMaxLength(30))

export const limits = {
  maxQueueSize: between(1, 60),
  maxExportBatchSize: between(1, 20),
  maxQueueBytes: between(6_000, 60_000),
  scheduleDelay: between(0, 6_000),
  exportTimeout: between(0, 8_000),
  shutdownTimeout: between(0, 5_000),
  concurrency: between(1, 3)
}

export const retry = {
  base: between(0, 2_000),
  maxBackoff: between(0, 40_000),
  maxRetryAfter: between(0, 100_000),
  breakerFailures: between(1, 6),
  probeInterval: between(0, 90_000)
}

export const protocol = Schema.Literals(["http/protobuf", "http/json"])

export const url = "http://localhost:4318/v1/traces"
