/**
 * The batch behind all OTLP encoders: encoded items (spans, log records) in a few growing buffers, grouped by the identity
 * of their resource and scope.
 */
import { allocate, giveChunk } from "../internal/buffers.ts"
import { ByteWriter, recordTooLarge } from "../internal/byteWriter.ts"
import type { InstrumentationScope } from "../model/InstrumentationScope.ts"
import type { Resource } from "../model/Resource.ts"
import type { OtlpBatch } from "./OtlpEncoder.ts"

/** What groups items. */
export interface Grouped {
  readonly resource: Resource
  readonly scope: InstrumentationScope
}

/** How one wire format writes an item and what surrounds it. */
export interface ItemFormat<in Item extends Grouped> {
  /** Appends one item, framed so that the items of a scope can be written one after the other. */
  readonly writeItem: (writer: ByteWriter, item: Item) => void
  /** What stands before and after the scopes of a resource, without outer framing. */
  readonly resource: (resource: Resource) => Envelope
  /** What stands before and after the items of a scope, without outer framing. */
  readonly scope: (scope: InstrumentationScope) => Envelope
  /** Where the item ends that `writeItem` put at `at`. */
  readonly itemEnd: (bytes: Uint8Array, at: number) => number
  /** The request body with the items of all groups, in the memory of `reuse` when it has room. */
  readonly body: (resources: ReadonlyArray<ResourceGroup>, reuse: Uint8Array | undefined) => Uint8Array
}

/** Bytes before and after the members of a group. */
export interface Envelope {
  readonly head: Uint8Array
  readonly tail: Uint8Array
}

/** Makes the envelope of a resource or scope once. Both are immutable, and usually the same for all batches. */
export const memoize = <A extends object>(make: (of: A) => Envelope): (of: A) => Envelope => {
  const known = new WeakMap<A, Envelope>()
  return (of) => {
    let envelope = known.get(of)
    if (envelope === undefined) known.set(of, envelope = make(of))
    return envelope
  }
}

/** The items of one scope within a resource. */
export interface ScopeGroup extends Envelope {
  readonly scope: InstrumentationScope
  readonly parent: ResourceGroup
  /** Encoded items in order of arrival: parts of buffers. */
  readonly runs: Array<Run>
  /** Encoded bytes of all runs. */
  size: number
}

/** The scopes of one resource. */
export interface ResourceGroup extends Envelope {
  readonly resource: Resource
  readonly scopes: Array<ScopeGroup>
}

/** Items of one scope that lie one after the other in one buffer. */
export interface Run {
  readonly group: ScopeGroup
  bytes: Uint8Array
  readonly start: number
  end: number
  count: number
}

// What the engine spends beside the encoded bytes, rounded up.
const batchOverhead = 256
const groupOverhead = 256
const runOverhead = 192

/** Most bytes of a buffer that may stay unused after an item that needed one of its own. */
const slack = 4096

/** Copies the items of `group` into `body` at `offset` and returns the offset behind them. */
export const copyItems = (group: ScopeGroup, body: Uint8Array, offset: number): number => {
  for (const run of group.runs) {
    body.set(run.bytes.subarray(run.start, run.end), offset)
    offset += run.end - run.start
  }
  return offset
}

/** A batch of encoded items. */
export class OtlpBuffer<in Item extends Grouped> implements OtlpBatch<Item> {
  count = 0
  refusal: "full" | "unserializable" | undefined = undefined
  private readonly format: ItemFormat<Item>
  private readonly writer = new ByteWriter(allocate(0))
  private readonly resources: Array<ResourceGroup> = []
  private readonly groups = new Map<InstrumentationScope, Array<ScopeGroup>>()
  /** All runs in order of arrival. */
  private readonly runs: Array<Run> = []
  private overhead = batchOverhead
  /** The group that the item being added brought. */
  private added: ScopeGroup | undefined = undefined

  constructor(format: ItemFormat<Item>) {
    this.format = format
  }

  get bytes(): number {
    return this.writer.capacity + this.overhead
  }

  add(item: Item, maxBytes: number): boolean {
    const writer = this.writer
    const { bytes, capacity, pos } = writer
    const { overhead } = this
    const run = this.runs.length === 0 ? undefined : this.runs[this.runs.length - 1]
    this.added = undefined
    try {
      const group = run !== undefined && run.group.scope === item.scope && run.group.parent.resource === item.resource
        ? run.group
        : this.groupOf(item.resource, item.scope)
      writer.mark = pos
      writer.limit = maxBytes - this.bytes
      this.format.writeItem(writer, item)
      const continued = run !== undefined && run.group === group && run.bytes === writer.bytes
      if (!continued) {
        this.overhead += runOverhead
        if (writer.isWasteful(slack)) writer.trim()
      }
      if (this.bytes > maxBytes) {
        writer.trim()
        if (this.bytes > maxBytes) throw recordTooLarge
      }
      if (continued) {
        run.end = writer.pos
        run.count++
      } else this.start(group, writer)
      group.size += writer.pos - writer.mark
      this.count++
      this.refusal = undefined
      return true
    } catch (error) {
      if (writer.bytes === bytes) writer.pos = pos
      else {
        giveChunk(writer.bytes)
        writer.adopt(bytes, pos, capacity)
      }
      this.forget(overhead)
      this.refusal = error === recordTooLarge ? "full" : "unserializable"
      return false
    }
  }

  seal(): void {
    const { bytes, pos } = this.writer
    // What is unused in the last buffer is worth a copy when it is much of the whole.
    if ((bytes.length - pos) * 5 <= this.writer.capacity) return
    this.writer.fit()
    for (const run of this.runs) {
      if (run.bytes === bytes) run.bytes = this.writer.bytes
    }
  }

  release(): void {
    const { runs } = this
    for (let i = 0; i < runs.length; i++) {
      // Runs that share a buffer lie one after the other.
      if (i === 0 || runs[i]!.bytes !== runs[i - 1]!.bytes) giveChunk(runs[i]!.bytes)
    }
    runs.length = 0
    this.resources.length = 0
    this.count = 0
  }

  toBody(reuse?: Uint8Array): Uint8Array {
    return this.count === 0 ? new Uint8Array(0) : this.format.body(this.resources, reuse)
  }

  split(): readonly [OtlpBatch<Item>, OtlpBatch<Item>] | undefined {
    if (this.count < 2) return undefined
    const first = new OtlpBuffer<Item>(this.format)
    const second = new OtlpBuffer<Item>(this.format)
    let left = (this.count + 1) >>> 1
    let used = 0
    for (const run of this.runs) {
      const taken = Math.min(left, run.count)
      left -= taken
      let middle = run.start
      for (let i = 0; i < taken; i++) middle = this.format.itemEnd(run.bytes, middle)
      first.take(run, run.start, middle, taken)
      second.take(run, middle, run.end, run.count - taken)
      used += run.end - run.start
    }
    // The halves share the buffers, so they share what is unused in them, too.
    const unused = Math.max(0, this.writer.capacity - used)
    first.writer.capacity += unused >>> 1
    second.writer.capacity += unused - (unused >>> 1)
    return [first, second]
  }

  private take(run: Run, start: number, end: number, count: number): void {
    if (count === 0) return
    const group = this.groupOf(run.group.parent.resource, run.group.scope)
    const part: Run = { group, bytes: run.bytes, start, end, count }
    group.runs.push(part)
    group.size += end - start
    this.runs.push(part)
    this.overhead += runOverhead
    this.writer.capacity += end - start
    this.count += count
  }

  private start(group: ScopeGroup, writer: ByteWriter): void {
    const run: Run = { group, bytes: writer.bytes, start: writer.mark, end: writer.pos, count: 1 }
    group.runs.push(run)
    this.runs.push(run)
  }

  private groupOf(resource: Resource, scope: InstrumentationScope): ScopeGroup {
    const known = this.groups.get(scope)?.find((group) => group.parent.resource === resource)
    if (known !== undefined) return known
    // Both envelopes are made before anything is kept: a scope or resource that cannot be written leaves no trace.
    let parent = this.resources.find((group) => group.resource === resource)
    const fresh = parent === undefined
    parent ??= { resource, scopes: [], ...this.format.resource(resource) }
    const group: ScopeGroup = { scope, parent, runs: [], size: 0, ...this.format.scope(scope) }
    if (fresh) {
      this.resources.push(parent)
      this.overhead += parent.head.length + parent.tail.length + groupOverhead
    }
    parent.scopes.push(group)
    const groups = this.groups.get(scope)
    if (groups === undefined) this.groups.set(scope, [group])
    else groups.push(group)
    this.overhead += group.head.length + group.tail.length + groupOverhead
    this.added = group
    return group
  }

  /** Takes back the group that a refused item brought. */
  private forget(overhead: number): void {
    this.overhead = overhead
    const group = this.added
    if (group === undefined) return
    group.parent.scopes.pop()
    if (group.parent.scopes.length === 0) this.resources.pop()
    const groups = this.groups.get(group.scope)
    groups?.pop()
    if (groups?.length === 0) this.groups.delete(group.scope)
    this.added = undefined
  }
}
