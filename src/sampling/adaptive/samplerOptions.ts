/** Options of samplers that learn: what may be said, and what is said about the rest. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { issueLine } from "../../internal/issueLine.ts"

/** Options that a sampler cannot take. */
export class SamplerOptionsError extends Schema.TaggedError<SamplerOptionsError>()("SamplerOptionsError", {
  /** The option, its value, and what is allowed, in one line. */
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}

/** A positive, finite number. */
export const Positive = Schema.Finite.check(Schema.isGreaterThan(0))

/** A number between 0 and 1. */
export const Share = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

const millisOf = (input: unknown): number =>
  Option.match(Duration.fromInput(input as Duration.Input), { onNone: () => Number.NaN, onSome: Duration.toMillis })

/** A positive duration: milliseconds, or text as in `"10 seconds"`. */
export const Span = Schema.Union([Schema.Finite, Schema.String]).check(
  Schema.makeFilter((input) => {
    const millis = millisOf(input)
    return millis > 0 && millis <= 86_400_000 ? undefined : "expected a duration of at most a day, as in \"10 seconds\""
  })
)

/** The instances among which a goal is shared. */
export const Cluster = Schema.Struct({ size: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)) })

/** In seconds, or `undefined`. */
export const secondsOf = (input: Duration.Input | undefined): number | undefined =>
  input === undefined ? undefined : millisOf(input) / 1_000

// What a Schema of data can judge: anything but text and numbers of milliseconds becomes such a number.
const asData = (input: Duration.Input | undefined): Duration.Input | undefined =>
  input === undefined || typeof input === "string" || typeof input === "number" ? input : millisOf(input)

/** Judges options by their Schema; durations may be given in any form. */
export const check = <A>(
  schema: Schema.Codec<A, unknown>,
  options: Readonly<Record<string, unknown>>,
  name: string
): Effect.Effect<A, SamplerOptionsError> => {
  const input: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(options)) {
    const given = key === "memory" || key === "burst" ? asData(value as Duration.Input | undefined) : value
    if (given !== undefined) input[key] = given
  }
  return Effect.mapError(
    Effect.fromResult(Schema.decodeUnknownResult(schema)(input, { onExcessProperty: "error", errors: "all" })),
    ({ issue }) => new SamplerOptionsError({ reason: `${name}: ${issueLine(issue, input, "the options")}` })
  )
}
