/**
 * From the attributes of a measurement to its series. The series of attributes that came before is found without a key
 * being made of them: attribute by attribute, down a tree.
 */
import {
  type AttributeLimits,
  type Attributes,
  type AttributeValue,
  fromRecord,
  noLimits
} from "../model/Attributes.ts"

/** Attributes as a caller gives them: what `Attributes.fromUnknown` takes. */
export type AttributeInput = Readonly<Record<string, unknown>>

/** Attributes in the order of their keys, and a text that only the same attributes have. */
export interface AttributeSet {
  readonly attributes: Attributes
  readonly key: string
}

/** The set that says nothing. */
export const emptySet: AttributeSet = { attributes: Object.freeze(Object.create(null)) as Attributes, key: "" }

/** What stands in for the sets that found no place (`metrics/sdk.md#overflow-attribute`). */
export const overflowSet: AttributeSet = {
  attributes: Object.freeze({ "otel.metric.overflow": true }),
  key: "\u0000overflow"
}

const keyOfValue = (value: AttributeValue): string => {
  switch (typeof value) {
    case "string":
      return `s${value.length}:${value}`
    case "number":
      return Object.is(value, -0) ? "d-0" : `${Number.isSafeInteger(value) ? "i" : "d"}${value}`
    case "bigint":
      return `i${value}`
    case "boolean":
      return value ? "t" : "f"
  }
  if (value === null) return "n"
  if (value instanceof Uint8Array) return `b${value.join()}`
  if (Array.isArray(value)) return `[${value.map(keyOfValue).join()}]`
  const record = value as Attributes
  return `{${Object.keys(record).sort().map((key) => `${key.length}:${key}${keyOfValue(record[key]!)}`).join()}}`
}

const ordinary = { configurable: true, enumerable: true, writable: true }

const setOf = (keys: ReadonlyArray<string>, from: Attributes): AttributeSet => {
  if (keys.length === 0) return emptySet
  // Not without a prototype: such an object is a dictionary to the engine, and takes five times as long to be read.
  const attributes: Record<string, AttributeValue> = {}
  let key = ""
  for (const name of keys) {
    const value = from[name]!
    if (name === "__proto__") Object.defineProperty(attributes, name, { ...ordinary, value })
    else attributes[name] = value
    key += `${name.length}:${name}${keyOfValue(value)};`
  }
  return { attributes, key }
}

/** Which attribute keys a stream has. */
export interface KeyFilter {
  /** Only these; all of them by default. */
  readonly include?: ReadonlySet<string> | undefined
  readonly exclude?: ReadonlySet<string> | undefined
}

const passes = (filter: KeyFilter, key: string): boolean =>
  filter.include?.has(key) !== false && filter.exclude?.has(key) !== true

/** The set of `attributes`, and apart from it what `filter` takes out of it. */
export const split = (
  attributes: Attributes,
  filter: KeyFilter | undefined
): { readonly set: AttributeSet; readonly dropped: Attributes } => {
  const keys = Object.keys(attributes).sort()
  if (filter === undefined) return { set: setOf(keys, attributes), dropped: emptySet.attributes }
  return {
    set: setOf(keys.filter((key) => passes(filter, key)), attributes),
    dropped: setOf(keys.filter((key) => !passes(filter, key)), attributes).attributes
  }
}

/** Metric attributes have no limits of count or length (`common/README.md#attribute-limits`); depth has one. */
const limits: AttributeLimits = noLimits

/** Any record as attributes; what is no attribute value is left out. Never throws. */
export const normalize = (attributes: AttributeInput): Attributes => {
  const { list } = fromRecord(attributes, limits)
  const record: Record<string, AttributeValue> = Object.create(null)
  for (let i = 0; i < list.length; i += 2) record[list[i] as string] = list[i + 1]!
  return record
}

class Node<A> {
  leaf: A | undefined = undefined
  /** The child that was reached last, in front of the maps: programs repeat themselves. */
  key: string | undefined = undefined
  value: unknown = undefined
  next: Node<A> | undefined = undefined
  children: Map<string, Map<unknown, Node<A>>> | undefined = undefined

  child(key: string, value: unknown): Node<A> | undefined {
    const next = this.children?.get(key)?.get(value)
    if (next === undefined) return undefined
    this.key = key
    this.value = value
    this.next = next
    return next
  }

  makeChild(key: string, value: unknown): Node<A> {
    const known = this.child(key, value)
    if (known !== undefined) return known
    this.children ??= new Map()
    let byValue = this.children.get(key)
    if (byValue === undefined) this.children.set(key, byValue = new Map())
    const made = new Node<A>()
    byValue.set(value, made)
    return made
  }
}

const isScalar = (value: unknown): boolean =>
  typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && !Object.is(value, -0))

/**
 * What attributes led to before.
 *
 * **Details**
 *
 * Records are told apart by the order of their keys, too, so one series may have several leaves. When there are
 * `maxLeaves`, all are forgotten.
 */
export class AttributeTree<A> {
  private root = new Node<A>()
  private leaves = 0
  private readonly maxLeaves: number

  constructor(maxLeaves: number) {
    this.maxLeaves = maxLeaves
  }

  find(attributes: AttributeInput): A | undefined {
    // A class may have what it says on its prototype: such a record is looked at anew each time.
    if (Object.getPrototypeOf(attributes) !== Object.prototype) return undefined
    let node = this.root
    for (const key in attributes) {
      const value = attributes[key]
      // `===` on purpose: for NaN the map answers.
      const next = node.key === key && node.value === value ? node.next : node.child(key, value)
      if (next === undefined) return undefined
      node = next
    }
    return node.leaf
  }

  set(attributes: AttributeInput, leaf: A): void {
    if (Object.getPrototypeOf(attributes) !== Object.prototype) return
    for (const key in attributes) if (!isScalar(attributes[key])) return
    if (this.leaves >= this.maxLeaves) this.clear()
    let node = this.root
    for (const key in attributes) node = node.makeChild(key, attributes[key])
    if (node.leaf === undefined) this.leaves++
    node.leaf = leaf
  }

  clear(): void {
    this.root = new Node()
    this.leaves = 0
  }
}
