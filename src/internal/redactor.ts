/**
 * Replaces secrets in attributes and text. What it does is said at `RedactSpanProcessor`; the options arrive here
 * resolved.
 */
import { anyOf, anyOfIgnoringCase, type Pattern } from "./pattern.ts"
import { hasMarker, type ScrubRules, scrubText } from "./scrubText.ts"
import { isSecretKey } from "./secretKeys.ts"
import { textSlot, textSlots } from "./textSlot.ts"
import { compileValueRule, type ValueRule } from "./valueRule.ts"

export interface RedactorOptions {
  readonly mask: string
  readonly wellKnown: boolean
  readonly keys: ReadonlyArray<Pattern>
  readonly allowedKeys: ReadonlyArray<Pattern>
  readonly values: ReadonlyArray<ValueRule>
  readonly urls: boolean
  readonly queryParameters: "all" | ReadonlyArray<string>
}

export interface Redactor {
  /** Replaces secrets among the values of `[key, value, key, value, …]`, in place. */
  readonly list: (list: Array<unknown>) => void
  /** A value without secrets, at any depth; the value itself where it holds none. */
  readonly value: (value: unknown) => unknown
  /** `text` without secrets; `key` is what it is the value of, `""` for none. */
  readonly text: (text: string, key: string) => string
  /** The name of a span without secrets. Names are few, and known ones cost next to nothing. */
  readonly name: (text: string) => string
}

const maxCachedKeys = 1024
const maxCachedKeyLength = 128
const maxCachedTexts = 512
const maxCachedNames = 64
const fullPatience = 8
const pause = 64
const maxCachedTextLength = 256
const maxDepth = 64

// Texts only: to compare a text with what may be none is several times slower. The empty text is clean anyway.
const emptySlots = (count: number): Array<string> => new Array<string>(count).fill("")

/** What is known of an attribute's key. */
interface KnownKey {
  readonly key: string
  readonly isSecret: boolean
  /** Values that were found to hold no secret, by their slot. */
  readonly clean: Array<string>
  /** How many more values are remembered; a hit renews it. Remembering a value that never comes again has its price. */
  patience: number
  /** The key that followed when last seen: attributes come in the same order again and again. */
  next: KnownKey | undefined
}

export const makeRedactor = (options: RedactorOptions, failed: (message: string) => void): Redactor => {
  const { mask } = options
  const isChosen = anyOfIgnoringCase(options.keys)
  const isAllowed = anyOfIgnoringCase(options.allowedKeys)
  const listed = options.queryParameters === "all" ? () => true : anyOf(options.queryParameters)
  const rules = options.values.map((rule) => compileValueRule(rule, mask, failed))

  const keys = new Map<string, KnownKey>()
  const knownKey = (key: string): KnownKey => {
    const known = keys.get(key)
    if (known !== undefined) return known
    const made: KnownKey = {
      key,
      isSecret: !isAllowed(key) && (isChosen(key) || (options.wellKnown && isSecretKey(key))),
      clean: emptySlots(textSlots),
      patience: fullPatience,
      next: undefined
    }
    if (key.length <= maxCachedKeyLength) {
      // Keys are few; a program that makes them up without end pays for each, and memory stays bounded.
      if (keys.size >= maxCachedKeys) keys.clear()
      keys.set(key, made)
    }
    return made
  }
  const isSecret = (key: string): boolean => knownKey(key).isSecret

  const scrub: ScrubRules = {
    mask,
    isSecret,
    isSecretParameter: (name) => listed(name),
    urls: options.urls,
    wellKnown: options.wellKnown
  }
  const scans = options.wellKnown || options.urls || options.keys.length > 0

  // Routes and statements look suspicious (`/orders/:id`), come again and again, and are not. Only what was found to hold
  // no secret is remembered.
  const innocent = new Set<string>()

  const text = (value: string, key: string): string => {
    let result = value
    // Rules see the text as it came: a rule may know more of it than its keys tell.
    for (const rule of rules) result = rule(result, key)
    if (!scans || !hasMarker(result)) return result
    const isQuery = key === "url.query"
    if (!isQuery && innocent.has(result)) return result
    const clean = scrubText(result, scrub, isQuery)
    if (clean === result && !isQuery && result.length <= maxCachedTextLength) {
      if (innocent.size >= maxCachedTexts) innocent.clear()
      innocent.add(result)
    }
    return clean
  }

  const hidden = (value: unknown): unknown => {
    if (value === null || typeof value === "boolean") return value
    if (Array.isArray(value)) return value.length === 0 ? value : [mask]
    return mask
  }

  const inside = (value: unknown, key: string, depth: number): unknown => {
    if (typeof value === "string") return text(value, key)
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value
    if (depth > maxDepth) return mask
    if (Array.isArray(value)) return insideArray(value, key, depth)
    return insideMap(value as Record<string, unknown>, depth)
  }

  const insideArray = (value: ReadonlyArray<unknown>, key: string, depth: number): unknown => {
    let copy: Array<unknown> | undefined
    for (let i = 0; i < value.length; i++) {
      const clean = inside(value[i], key, depth + 1)
      if (clean !== value[i]) (copy ??= [...value])[i] = clean
    }
    return copy ?? value
  }

  const insideMap = (value: Record<string, unknown>, depth: number): unknown => {
    let copy: Record<string, unknown> | undefined
    for (const key of Object.keys(value)) {
      const clean = isSecret(key) ? hidden(value[key]) : inside(value[key], key, depth + 1)
      if (clean !== value[key]) {
        ;(copy ??= Object.assign(Object.create(null), value) as Record<string, unknown>)[key] = clean
      }
    }
    return copy ?? value
  }

  // The key before the first.
  const start: KnownKey = { key: "", isSecret: false, clean: [], patience: 0, next: undefined }
  // With rules of the user's, which may answer differently each time, no value counts as known.
  const remembers = rules.length === 0

  // By length, so that a name is found by one comparison; names of equal length take turns.
  const cleanNames = emptySlots(maxCachedNames)
  const name = (value: string): string => {
    const slot = value.length % maxCachedNames
    if (cleanNames[slot] === value) return value
    const clean = text(value, "")
    if (clean === value && remembers && value.length <= maxCachedTextLength) cleanNames[slot] = value
    return clean
  }

  return {
    value: (value) => inside(value, "", 0),
    text,
    name,
    list(list) {
      let known = start
      for (let i = 0; i < list.length; i += 2) {
        const key = list[i] as string
        const value = list[i + 1]
        let next = known.next
        if (next === undefined || next.key !== key) {
          next = knownKey(key)
          if (key.length <= maxCachedKeyLength) known.next = next
        }
        known = next
        if (known.isSecret) list[i + 1] = hidden(value)
        else if (typeof value === "string") {
          const slot = textSlot(value)
          if (known.clean[slot] === value) {
            known.patience = fullPatience
            continue
          }
          const clean = text(value, key)
          if (clean !== value) list[i + 1] = clean
          else if (remembers && value.length <= maxCachedTextLength) {
            if (known.patience > 0) known.clean[slot] = value
            if (--known.patience < -pause) known.patience = 1
          }
        } else if (typeof value === "object" && value !== null) list[i + 1] = inside(value, key, 0)
      }
    }
  }
}
