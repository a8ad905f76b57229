/**
 * Which keys were seen before, in bounded memory: two generations of a Bloom filter.
 *
 * **Details**
 *
 * A key is remembered for one to two generations. A generation ends when it holds `capacity` keys or after `maxAge`
 * seconds. It takes 10 bits for each key; about 1 key in 50 is taken for one seen before (1 in 100 of each generation).
 */
export class Recurrence {
  readonly #bits: number
  readonly #capacity: number
  readonly #maxAgeSeconds: number
  #young: Int32Array
  #old: Int32Array
  #held = 0
  #since = 0

  constructor(capacity: number, maxAgeSeconds: number) {
    const words = Math.max(2, Math.ceil(capacity * 10 / 32))
    this.#bits = words * 32
    this.#capacity = capacity
    this.#maxAgeSeconds = maxAgeSeconds
    this.#young = new Int32Array(words)
    this.#old = new Int32Array(words)
  }

  /** In bytes. */
  get size(): number {
    return this.#young.byteLength * 2
  }

  /** Whether `key` was seen; from now on it was. */
  seen(key: string, nowSeconds: number): boolean {
    if (this.#held >= this.#capacity || nowSeconds - this.#since >= this.#maxAgeSeconds) {
      const gone = this.#old
      this.#old = this.#young
      this.#young = gone.fill(0)
      this.#held = 0
      this.#since = nowSeconds
    }
    let h = 0x811c9dc5
    let g = 0x9747b28c
    for (let i = 0; i < key.length; i++) {
      const code = key.charCodeAt(i)
      h = Math.imul(h ^ code, 0x01000193)
      g = Math.imul(g ^ code, 0x5bd1e995)
      g ^= g >>> 15
    }
    h ^= h >>> 16
    h = Math.imul(h, 0x85ebca6b)
    h ^= h >>> 13
    g = Math.imul(g, 0xc2b2ae35) | 1
    let inYoung = true
    let inOld = true
    for (let i = 0; i < 7; i++) {
      const bit = (h >>> 0) % this.#bits
      const mask = 1 << (bit & 31)
      if ((this.#young[bit >>> 5]! & mask) === 0) {
        inYoung = false
        this.#young[bit >>> 5]! |= mask
      }
      if ((this.#old[bit >>> 5]! & mask) === 0) inOld = false
      h = (h + g) | 0
    }
    if (!inYoung) this.#held++
    return inYoung || inOld
  }
}
