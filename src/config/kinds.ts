/**
 * The kinds of values, by the rules of `configuration/common.md#type-specific-guidance`.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Kind } from "./setting.ts"
import { showData, showText, showValue } from "./show.ts"

/** The largest integer that every implementation takes, and the longest delay a timer takes in milliseconds. */
export const maxInt32 = 2 ** 31 - 1

const same = <A>(value: A): A => value

/** `true` only as the word "true"; anything but "false" besides is a problem, and false. */
export const boolean: Kind<boolean, boolean> = {
  allowed: "true or false",
  allowedText: "true or false",
  unit: "",
  show: showValue,
  option: Schema.Boolean,
  value: Schema.Boolean,
  fromOption: same,
  parse(raw, { complain }) {
    const word = raw.toLowerCase()
    if (word === "true") return true
    if (word !== "false") complain({ consequence: "is taken as false" })
    return false
  }
}

/** An integer; anything else, or one out of range, is ignored. */
export const integer = (options: {
  readonly minimum: number
  readonly unit: string
  /** Whether code may say `Infinity` for "no limit". */
  readonly unlimited?: boolean
}): Kind<number, number> => {
  const { minimum, unit, unlimited = false } = options
  const allowed = (number: number): boolean =>
    (Number.isInteger(number) && number >= minimum && number <= maxInt32) || (unlimited && number === Infinity)
  const schema = Schema.Number.check(
    Schema.makeFilter(allowed, { expected: `an integer from ${minimum} to ${maxInt32}` })
  )
  return {
    allowed: `an integer from ${minimum} to ${maxInt32}${unlimited ? ", or Infinity" : ""}`,
    allowedText: `an integer from ${minimum} to ${maxInt32}`,
    unit,
    show: showValue,
    option: schema,
    value: schema,
    // Adding zero turns -0 into 0.
    fromOption: (number) => number + 0,
    parse(raw, { complain }) {
      const number = /^[+-]?\d+$/.test(raw) ? Number(raw) + 0 : NaN
      if (number !== Infinity && allowed(number)) return number
      complain()
      return undefined
    }
  }
}

const millisOf = (input: Duration.Input): number =>
  typeof input === "number"
    ? input
    : Option.match(Duration.fromInput(input), { onNone: () => NaN, onSome: Duration.toMillis })

const durationSchema = (allowed: (millis: number) => boolean, expected: string): Schema.Codec<Duration.Input> =>
  Schema.declare((input): input is Duration.Input => allowed(millisOf(input as Duration.Input)), { expected })

const parseMillis = (raw: string): number => /^[+-]?\d+$/.test(raw) ? Number(raw) + 0 : NaN

const isDelay = (millis: number): boolean => millis >= 0 && millis <= maxInt32

/** A span of time that ends: an integer of milliseconds, in code any finite `Duration.Input`. */
export const duration: Kind<Duration.Input, number> = {
  allowed: `a duration from 0 to ${maxInt32} ms`,
  allowedText: `an integer of milliseconds from 0 to ${maxInt32}`,
  unit: "ms",
  show: showData,
  option: durationSchema(isDelay, "a finite, non-negative duration"),
  value: Schema.Number.check(Schema.makeFilter(isDelay)),
  fromOption: (input) => millisOf(input) + 0,
  parse(raw, { complain }) {
    const millis = parseMillis(raw)
    if (isDelay(millis)) return millis
    complain()
    return undefined
  }
}

/** The longest to wait: as {@link duration}, but 0 means without end, as does `Infinity` in code. */
export const timeout: Kind<Duration.Input, number> = {
  allowed: `a duration from 0 to ${maxInt32} ms, 0 or Infinity for no limit`,
  allowedText: `an integer of milliseconds from 0 to ${maxInt32}, 0 for no limit`,
  unit: "ms",
  show: showData,
  option: durationSchema((millis) => isDelay(millis) || millis === Infinity, "a non-negative duration"),
  value: Schema.Number.check(Schema.makeFilter((millis) => millis > 0 && (millis <= maxInt32 || millis === Infinity))),
  fromOption: (input) => millisOf(input) || Infinity,
  parse(raw, { complain }) {
    const millis = parseMillis(raw)
    if (isDelay(millis)) return millis || Infinity
    complain()
    return undefined
  }
}

const quoted = (names: ReadonlyArray<string>): string => names.map((name) => `"${name}"`).join(", ")

/** One of `names`, in a variable in any case, or by one of the `aliases` that other implementations know. */
export const oneOf = <const Name extends string>(
  names: ReadonlyArray<Name>,
  options?: {
    readonly aliases?: Readonly<Record<string, Name>>
    readonly remark?: string
  }
): Kind<Name, Name> => {
  const known = new Map<string, Name>([
    ...names.map((name) => [name, name] as const),
    ...Object.entries<Name>(options?.aliases ?? {})
  ])
  const allowed = `one of ${quoted(names)}${options?.remark ?? ""}`
  return {
    allowed,
    allowedText: allowed,
    unit: "",
    show: showData,
    option: Schema.Literals(names),
    value: Schema.Literals(names),
    fromOption: same,
    parse(raw, { complain }) {
      const name = known.get(raw.toLowerCase())
      if (name === undefined) complain()
      return name
    }
  }
}

/**
 * A list of `names`, each once: in a variable comma-separated and in any case. `"none"` stands alone and is the empty
 * list; `"all"`, where there is one, is every name.
 */
export const listOf = <const Name extends string, const Word extends "none" | "all">(
  names: ReadonlyArray<Name>,
  options: {
    readonly words: ReadonlyArray<Word>
    /** Other names; `undefined` for one that asks for what is always so. */
    readonly aliases?: Readonly<Record<string, Name | undefined>>
    /** Names that others know, and what became of them here, to be read behind the value. */
    readonly refused?: Readonly<Record<string, string>>
  }
): Kind<ReadonlyArray<Name | Word>, ReadonlyArray<Name>> => {
  const known = new Map<string, Name | undefined>([
    ...names.map((name) => [name, name] as const),
    ...Object.entries(options.aliases ?? {})
  ])
  const refused = new Map(Object.entries(options.refused ?? {}))
  const words: ReadonlyArray<string> = options.words
  const unique = (chosen: Iterable<Name>): ReadonlyArray<Name> => [...new Set(chosen)]
  const expand = (items: ReadonlyArray<string>): ReadonlyArray<Name> =>
    items.includes("all") ? names : unique(items.filter((item): item is Name => item !== "none"))
  const Item = Schema.Literals([...names, ...options.words])
  const rest = `${words.includes("all") ? `, or "all"` : ""}, or "none" alone`
  return {
    allowed: `a list of ${quoted(names)}${rest}`,
    allowedText: `a comma-separated list of ${quoted(names)}${rest}`,
    unit: "",
    show: showData,
    option: Schema.Array(Item).check(
      Schema.makeFilter((items) => items.length < 2 || !(items as ReadonlyArray<string>).includes("none"))
    ) as Schema.Codec<ReadonlyArray<Name | Word>>,
    value: Schema.Array(Schema.Literals(names)),
    fromOption: expand,
    parse(raw, { complain }) {
      const items = raw.split(",").map((item) => item.trim()).filter((item) => item !== "")
      if (items.length === 0) return undefined
      if (items.every((item) => item.toLowerCase() === "none")) return []
      const taken: Array<string> = []
      let understood = false
      for (const written of items) {
        const item = written.toLowerCase()
        if (known.has(item) || (item === "all" && words.includes("all"))) {
          understood = true
          const name = item === "all" ? item : known.get(item)
          if (name !== undefined) taken.push(name)
        } else complain({ value: showText(written), consequence: refused.get(item) })
      }
      return understood ? expand(taken) : undefined
    }
  }
}

const textOf = <Value>(allowed: string, value: Schema.Codec<Value>): Kind<string, Value | string> => ({
  allowed,
  allowedText: allowed,
  unit: "",
  show: showValue,
  option: Schema.NonEmptyString,
  value: Schema.Union([Schema.NonEmptyString, value]),
  fromOption: same,
  parse: same
})

/** Any text but the empty one. */
export const text: Kind<string, string> = textOf("a non-empty text", Schema.Never)

/** As {@link text}, or nothing at all. */
export const optionalText = (allowed: string): Kind<string, string | undefined> => textOf(allowed, Schema.Undefined)
