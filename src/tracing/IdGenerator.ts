import * as Context from "effect/Context"
import { randomWord } from "../internal/random.ts"

/**
 * Makes trace and span ids (`trace/sdk.md#id-generators`), as signed 32-bit words, big end first.
 */
export interface IdGenerator {
  /** Writes four words, not all zero. */
  readonly writeTraceId: (words: Int32Array) => void
  /** Writes two words, not both zero. */
  readonly writeSpanId: (words: Int32Array) => void
  /**
   * Whether the last 56 bits of a trace id are uniformly random (W3C Trace Context level 2). Sets the random flag of root
   * spans.
   */
  readonly isRandom: boolean
}

const generator = (word: () => number): IdGenerator => ({
  isRandom: true,
  writeTraceId(words) {
    do {
      words[0] = word()
      words[1] = word()
      words[2] = word()
      words[3] = word()
    } while (words[0] === 0 && words[1] === 0 && words[2] === 0 && words[3] === 0)
  },
  writeSpanId(words) {
    do {
      words[0] = word()
      words[1] = word()
    } while (words[0] === 0 && words[1] === 0)
  }
})

/** Ids from the platform's cryptographic random source. */
export const random: IdGenerator = generator(randomWord)

/** The same ids for the same `seed`, for tests. */
export const seeded = (seed: number): IdGenerator => {
  // splitmix32
  let state = seed | 0
  return generator(() => {
    state = (state + 0x9e3779b9) | 0
    let word = state ^ (state >>> 16)
    word = Math.imul(word, 0x21f0aaad)
    word ^= word >>> 15
    word = Math.imul(word, 0x735a2d97)
    return (word ^ (word >>> 15)) | 0
  })
}

/** The id generator that a tracer layer uses. Default: {@link random}. */
export const IdGenerator: Context.Reference<IdGenerator> = Context.Reference<IdGenerator>(
  "effect-telemetry/tracing/IdGenerator",
  { defaultValue: () => random }
)
