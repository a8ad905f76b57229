/** One thing that is not as expected. */
export interface Mismatch {
  /** Names of the spans from the root down to the one that is meant; empty for the whole. */
  readonly path: ReadonlyArray<string>
  readonly message: string
}

/** What {@link ExpectationError} says, as a value. */
export interface Mismatches {
  readonly mismatches: ReadonlyArray<Mismatch>
  /** All of them, and what was found instead, to be read by people. */
  readonly message: string
}

/** Spans are not as a test expects them. Any test runner shows its message. */
export class ExpectationError extends Error implements Mismatches {
  override readonly name = "ExpectationError"
  readonly mismatches: ReadonlyArray<Mismatch>

  constructor(found: Mismatches) {
    super(found.message)
    this.mismatches = found.mismatches
  }
}

/** @internal */
export const describeMismatches = (title: string, mismatches: ReadonlyArray<Mismatch>, found: string): Mismatches => {
  const places = new Map<string, Array<string>>()
  for (const { message, path } of mismatches) {
    const place = path.join(" > ")
    const known = places.get(place)
    if (known === undefined) places.set(place, [message])
    else known.push(message)
  }
  const lines = [title, ""]
  for (const [place, messages] of places) {
    if (place !== "") lines.push(`at ${place}`)
    for (const message of messages) lines.push(place === "" ? message : `  ${message}`)
  }
  lines.push("", "Found:", found)
  return { mismatches, message: lines.join("\n") }
}
