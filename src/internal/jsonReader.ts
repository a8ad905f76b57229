/**
 * Reads parsed JSON that nobody vouches for, by the rules of protobuf's JSON form: absent and `null` are the default,
 * 64-bit integers may be numbers or strings, unknown members are ignored.
 */

/** What a reader throws; the decoder that owns it turns it into its own error. */
export class MalformedJson {
  readonly path: string
  readonly detail: string

  constructor(path: string, detail: string) {
    this.path = path
    this.detail = detail
  }
}

const integer = /^-?\d{1,20}$/
const hexadecimal = /^[0-9a-f]*$/i

/** A value and where it stands. */
export class JsonReader {
  readonly value: unknown
  private readonly parent: JsonReader | undefined
  private readonly key: string | number

  constructor(value: unknown, parent?: JsonReader, key: string | number = "") {
    this.value = value ?? undefined
    this.parent = parent
    this.key = key
  }

  get path(): string {
    if (this.parent === undefined) return "$"
    return typeof this.key === "number" ? `${this.parent.path}[${this.key}]` : `${this.parent.path}.${this.key}`
  }

  fail(detail: string): never {
    throw new MalformedJson(this.path, detail)
  }

  get isAbsent(): boolean {
    return this.value === undefined
  }

  /** The member `name`. Fails when this is no object. */
  member(name: string): JsonReader {
    const value = this.value
    if (value === undefined) return new JsonReader(undefined, this, name)
    if (typeof value !== "object" || Array.isArray(value)) this.fail("not an object")
    return new JsonReader(Object.hasOwn(value as object, name) ? (value as never)[name] : undefined, this, name)
  }

  /** The elements; none when absent. */
  elements(): ReadonlyArray<JsonReader> {
    const value = this.value
    if (value === undefined) return []
    if (!Array.isArray(value)) this.fail("not an array")
    return (value as ReadonlyArray<unknown>).map((element, i) => new JsonReader(element, this, i))
  }

  text(): string {
    const value = this.value
    if (value === undefined) return ""
    return typeof value === "string" ? value : this.fail("not a string")
  }

  boolean(): boolean {
    const value = this.value
    if (value === undefined) return false
    return typeof value === "boolean" ? value : this.fail("not a boolean")
  }

  /** An integer from `min` to `max`, given as a number or a decimal string. */
  bigint(min: bigint, max: bigint): bigint {
    const value = this.value
    if (value === undefined) return 0n
    const isInteger = typeof value === "number" ? Number.isInteger(value) : integer.test(String(value))
    if (!isInteger || (typeof value !== "number" && typeof value !== "string")) this.fail("not an integer")
    const int = BigInt(value as number | string)
    return int >= min && int <= max ? int : this.fail("out of range")
  }

  uint32(): number {
    return Number(this.bigint(0n, 0xffffffffn))
  }

  double(): number {
    const value = this.value
    if (value === undefined) return 0
    if (typeof value === "number") return value
    if (value === "NaN") return NaN
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : NaN
    return Number.isNaN(number) ? this.fail("not a number") : number
  }

  /** Lowercase hexadecimal digits. */
  hex(): string {
    const text = this.text()
    return hexadecimal.test(text) ? text.toLowerCase() : this.fail("not hexadecimal")
  }
}
