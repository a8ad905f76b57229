/**
 * The synchronous half of a batcher: a queue of batches, bounded by items and by bytes. No fiber, no promise, no clock
 * but one reading for each batch.
 */
import type { DropReason } from "../diagnostics/Ledger.ts"

/** Items gathered for one export. */
export interface Batch<in Item> {
  /** Items held. */
  readonly count: number
  /** Bytes of memory held. */
  readonly bytes: number
  /** Adds an item; `false`, and unchanged, when the batch would then hold more than `maxBytes`. */
  add(item: Item, maxBytes: number): boolean
  /** Why the last `add` returned `false`, where the batch can tell. */
  readonly refusal?: "full" | "unserializable" | undefined
  /** Nothing will be added any more. */
  seal?(): void
  /** Nobody will look at the batch again. */
  release?(): void
}

/** Bounds of a queue. */
export interface QueueLimits {
  /** Most items held, those in flight included. */
  readonly maxQueueSize: number
  /** Most bytes held, those in flight included. */
  readonly maxQueueBytes: number
  /** Most items of one batch. */
  readonly maxExportBatchSize: number
  /** Most bytes of one batch of more than one item. */
  readonly maxBatchBytes: number
}

/** A batch in the queue or in flight. */
export interface Entry<B> {
  readonly batch: B
  /** Rises by one from batch to batch. */
  readonly sequence: number
  /** When its first item came, in monotonic nanoseconds. */
  readonly since: bigint
  count: number
  /** Bytes counted against the bound once sealed. */
  bytes: number
}

/** A bounded queue of batches. */
export class BatchQueue<Item, B extends Batch<Item>> {
  /** Items held, those in flight included. */
  count = 0
  /** The batch that takes items, if it has any. */
  current: Entry<B> | undefined = undefined
  /** Batches waiting for export, oldest first. */
  readonly sealed: Array<Entry<B>> = []
  private readonly limits: QueueLimits
  private readonly makeBatch: () => B
  private readonly now: () => bigint
  /** Bytes of sealed and in-flight batches. */
  private sealedBytes = 0
  private sequence = 0
  private spare: B | undefined = undefined

  constructor(limits: QueueLimits, makeBatch: () => B, now: () => bigint) {
    this.limits = limits
    this.makeBatch = makeBatch
    this.now = now
  }

  /** Bytes held, those in flight included. */
  get bytes(): number {
    return this.sealedBytes + (this.current === undefined ? 0 : this.current.batch.bytes)
  }

  /** The sequence number of the latest batch. */
  get lastSequence(): number {
    return this.sequence
  }

  /**
   * Takes an item; `undefined` when it is in, otherwise why it is not. Constant in the length of the queue. Throws what
   * the batch throws.
   *
   * **Details**
   *
   * An item that does not fit into the current batch seals it. An item larger than `maxBatchBytes` gets a batch of its
   * own; one that would not fit into an empty queue is `oversize`.
   */
  offer(item: Item): DropReason | undefined {
    const { maxBatchBytes, maxQueueBytes, maxQueueSize } = this.limits
    if (this.count >= maxQueueSize) return "queue_full"
    let room = maxQueueBytes - this.sealedBytes
    if (room <= 0) return "queue_full"

    let entry = this.current
    if (entry !== undefined) {
      if (entry.batch.add(item, Math.min(maxBatchBytes, room))) return this.added(entry)
      if (entry.batch.refusal === "unserializable") return "unserializable"
      // The queue, not the batch, has no room: another batch would have none either.
      if (room < maxBatchBytes) return "queue_full"
      this.seal()
      room = maxQueueBytes - this.sealedBytes
      if (room <= 0) return "queue_full"
    }

    const batch = this.spare ?? this.makeBatch()
    this.spare = undefined
    if (!batch.add(item, room)) {
      this.spare = batch
      if (batch.refusal === "unserializable") return "unserializable"
      return this.count === 0 ? "oversize" : "queue_full"
    }
    entry = { batch, sequence: ++this.sequence, since: this.now(), count: 0, bytes: 0 }
    this.current = entry
    const reason = this.added(entry)
    if (batch.bytes >= maxBatchBytes) this.seal()
    return reason
  }

  private added(entry: Entry<B>): undefined {
    entry.count++
    this.count++
    if (entry.count >= this.limits.maxExportBatchSize) this.seal()
  }

  /** Makes the next batch ahead, so that whoever offers does not have to. */
  prepare(): void {
    try {
      this.spare ??= this.makeBatch()
    } catch {
      // Nobody waits here who could be told: the one who offers will be.
    }
  }

  /** Closes the current batch, so that it can be taken. */
  seal(): void {
    const entry = this.current
    if (entry === undefined) return
    this.current = undefined
    entry.bytes = entry.batch.bytes
    this.sealedBytes += entry.bytes
    this.sealed.push(entry)
  }

  /** The oldest sealed batch, now in flight. */
  take(): Entry<B> | undefined {
    const entry = this.sealed.shift()
    if (entry === undefined) return undefined
    try {
      // Only now, and not on the stack of the one who offers: it may copy.
      entry.batch.seal?.()
    } catch {
      // It gives memory back; without it, the batch is as good.
    }
    this.sealedBytes -= entry.bytes
    entry.bytes = entry.batch.bytes
    this.sealedBytes += entry.bytes
    return entry
  }

  /** Frees what a batch in flight held. */
  release(entry: Entry<B>): void {
    this.count -= entry.count
    this.sealedBytes -= entry.bytes
  }
}
