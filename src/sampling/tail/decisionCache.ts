/**
 * What was decided about traces that are not held any more, so that spans which come late share their fate.
 */

/** A hash of the four words of a trace id: all of them count, since not every id is random. */
export const hashTraceId = (word0: number, word1: number, word2: number, word3: number): number => {
  let hash = word3 ^ Math.imul(word2, 0x85ebca6b) ^ Math.imul(word1, 0xc2b2ae35) ^ Math.imul(word0, 0x27d4eb2f)
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  return hash ^ (hash >>> 15)
}

const fingerprint = (word0: number, word1: number, word2: number, word3: number): number => {
  let print = word2 ^ Math.imul(word3, 0x9e3779b1) ^ Math.imul(word0, 0x165667b1) ^ Math.imul(word1, 0xd3a2646c)
  print = Math.imul(print ^ (print >>> 15), 0x2c1b3c6d)
  print ^= print >>> 13
  // Zero stands for an empty slot.
  return print === 0 ? 1 : print
}

const powerAbove = (least: number): number => 2 ** Math.ceil(Math.log2(Math.max(16, least)))

/**
 * Dropped traces, by fingerprints of 32 bits in two generations of an open-addressing table.
 *
 * **Details**
 *
 * Each of the last `capacity` traces is found for certain. A trace that was not dropped is taken for one about once in a
 * billion times. Two tables of at most half load take 16 to 32 bytes for each trace, and are made when the first trace is
 * dropped.
 */
export class DroppedTraces {
  readonly capacity: number
  private readonly mask: number
  private current: Int32Array | undefined = undefined
  private previous: Int32Array | undefined = undefined
  private count = 0

  constructor(capacity: number) {
    this.capacity = capacity
    this.mask = powerAbove(2 * capacity) - 1
  }

  /** Remembers a trace; the oldest generation is forgotten when a new one begins. */
  add(word0: number, word1: number, word2: number, word3: number): void {
    const slots = this.current ??= new Int32Array(this.mask + 1)
    const print = fingerprint(word0, word1, word2, word3)
    let at = hashTraceId(word0, word1, word2, word3) & this.mask
    for (let found = slots[at]!; found !== 0; found = slots[at]!) {
      if (found === print) return
      at = (at + 1) & this.mask
    }
    slots[at] = print
    if (++this.count < this.capacity) return
    const oldest = this.previous
    this.previous = slots
    this.current = oldest?.fill(0)
    this.count = 0
  }

  has(word0: number, word1: number, word2: number, word3: number): boolean {
    const { current, mask, previous } = this
    if (current === undefined && previous === undefined) return false
    const print = fingerprint(word0, word1, word2, word3)
    const start = hashTraceId(word0, word1, word2, word3) & mask
    return isIn(current, print, start, mask) || isIn(previous, print, start, mask)
  }

  /** Bytes of the tables. */
  get bytes(): number {
    return (this.current?.byteLength ?? 0) + (this.previous?.byteLength ?? 0)
  }
}

const isIn = (slots: Int32Array | undefined, print: number, start: number, mask: number): boolean => {
  if (slots === undefined) return false
  let at = start
  for (let found = slots[at]!; found !== 0; found = slots[at]!) {
    if (found === print) return true
    at = (at + 1) & mask
  }
  return false
}

/**
 * Kept traces with the threshold and the rule that kept them, by their whole id; the one that was asked for longest ago is
 * forgotten first.
 *
 * **Details**
 *
 * Columns in typed arrays, about 60 bytes for each trace, made when the first one is kept. An entry is named by its row.
 */
export class KeptTraces {
  readonly capacity: number
  #columns: Columns | undefined = undefined
  #size = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** How many are remembered. */
  get size(): number {
    return this.#size
  }

  /** The row of a trace, which becomes the latest; -1 for one that is not known. */
  find(word0: number, word1: number, word2: number, word3: number): number {
    const columns = this.#columns
    if (columns === undefined) return -1
    const row = columns.find(word0, word1, word2, word3)
    if (row >= 0) columns.touch(row)
    return row
  }

  /** Remembers a trace. `thresholdHi` of -1 stands for a probability that is not known. */
  add(
    word0: number,
    word1: number,
    word2: number,
    word3: number,
    thresholdHi: number,
    thresholdLo: number,
    ruleId: string
  ): void {
    const columns = this.#columns ??= new Columns(this.capacity)
    let row = columns.find(word0, word1, word2, word3)
    if (row < 0) {
      if (this.#size < this.capacity) row = this.#size++
      else columns.forget(row = columns.oldest)
      columns.insert(row, word0, word1, word2, word3)
    } else columns.touch(row)
    columns.thresholdHi[row] = thresholdHi
    columns.thresholdLo[row] = thresholdLo
    columns.ruleIds[row] = ruleId
  }

  /** The high half of the threshold, -1 for an unknown probability. */
  thresholdHi(row: number): number {
    return this.#columns!.thresholdHi[row]!
  }

  thresholdLo(row: number): number {
    return this.#columns!.thresholdLo[row]!
  }

  ruleId(row: number): string {
    return this.#columns!.ruleIds[row]!
  }

  /** Bytes of the columns. */
  get bytes(): number {
    return this.#columns?.bytes ?? 0
  }
}

class Columns {
  private readonly words: Int32Array
  readonly thresholdHi: Int32Array
  readonly thresholdLo: Int32Array
  readonly ruleIds: Array<string> = []
  // Rows by age, in a ring with one row more than there are traces: its head.
  private readonly newer: Int32Array
  private readonly older: Int32Array
  // Rows of one bucket.
  private readonly buckets: Int32Array
  private readonly nextInBucket: Int32Array
  private readonly head: number

  constructor(capacity: number) {
    this.words = new Int32Array(4 * capacity)
    this.thresholdHi = new Int32Array(capacity)
    this.thresholdLo = new Int32Array(capacity)
    this.newer = new Int32Array(capacity + 1)
    this.older = new Int32Array(capacity + 1)
    this.buckets = new Int32Array(powerAbove(capacity)).fill(-1)
    this.nextInBucket = new Int32Array(capacity)
    this.head = capacity
    this.newer[capacity] = capacity
    this.older[capacity] = capacity
  }

  get oldest(): number {
    return this.newer[this.head]!
  }

  get bytes(): number {
    return this.words.byteLength + 2 * this.thresholdHi.byteLength + 2 * this.newer.byteLength +
      this.buckets.byteLength + this.nextInBucket.byteLength + 8 * this.ruleIds.length
  }

  private bucketOf(word0: number, word1: number, word2: number, word3: number): number {
    return hashTraceId(word0, word1, word2, word3) & (this.buckets.length - 1)
  }

  find(word0: number, word1: number, word2: number, word3: number): number {
    const { words } = this
    let row = this.buckets[this.bucketOf(word0, word1, word2, word3)]!
    while (row >= 0) {
      const at = 4 * row
      if (words[at + 3] === word3 && words[at + 2] === word2 && words[at + 1] === word1 && words[at] === word0) break
      row = this.nextInBucket[row]!
    }
    return row
  }

  insert(row: number, word0: number, word1: number, word2: number, word3: number): void {
    const { words } = this
    words[4 * row] = word0
    words[4 * row + 1] = word1
    words[4 * row + 2] = word2
    words[4 * row + 3] = word3
    const bucket = this.bucketOf(word0, word1, word2, word3)
    this.nextInBucket[row] = this.buckets[bucket]!
    this.buckets[bucket] = row
    this.append(row)
  }

  touch(row: number): void {
    if (this.older[this.head] === row) return
    this.unlink(row)
    this.append(row)
  }

  forget(row: number): void {
    const { buckets, nextInBucket, words } = this
    const bucket = this.bucketOf(words[4 * row]!, words[4 * row + 1]!, words[4 * row + 2]!, words[4 * row + 3]!)
    if (buckets[bucket] === row) buckets[bucket] = nextInBucket[row]!
    else {
      let before = buckets[bucket]!
      while (nextInBucket[before] !== row) before = nextInBucket[before]!
      nextInBucket[before] = nextInBucket[row]!
    }
    this.unlink(row)
  }

  // The newest is the head's older neighbour, the oldest its newer one.
  private append(row: number): void {
    const { head, newer, older } = this
    const newest = older[head]!
    older[row] = newest
    newer[newest] = row
    newer[row] = head
    older[head] = row
  }

  private unlink(row: number): void {
    const { newer, older } = this
    newer[older[row]!] = newer[row]!
    older[newer[row]!] = older[row]!
  }
}
