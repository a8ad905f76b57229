/**
 * Regular expressions whose cost is bounded by the length of the text times that of the pattern, whatever either holds:
 * patterns may come from a server and texts from anybody, and the engine's own can be made to run for ever.
 *
 * The syntax is the part of JavaScript's that needs no memory of what was matched: literals, `.`, classes, `\d \w \s` and
 * their opposites, groups, alternatives, quantifiers, `^` and `$`. It works on UTF-16 code units, as without flags.
 */
import * as Result from "effect/Result"

/** Most instructions of a pattern after its quantifiers are written out. */
const maxInstructions = 256
/** Most sets of places in the pattern that are remembered. */
const maxStates = 64

/** Ranges of code units: from, to, from, to. */
type Ranges = ReadonlyArray<number>

interface CharacterSet {
  readonly ranges: Ranges
  readonly isNegated: boolean
}

type Node =
  | { readonly type: "set"; readonly set: CharacterSet }
  | { readonly type: "start" | "end" }
  | { readonly type: "sequence" | "choice"; readonly parts: ReadonlyArray<Node> }
  | { readonly type: "repeat"; readonly part: Node; readonly least: number; readonly most: number }

const digits: Ranges = [48, 57]
const words: Ranges = [48, 57, 65, 90, 95, 95, 97, 122]
const spaces: Ranges = [
  9,
  13,
  32,
  32,
  0xa0,
  0xa0,
  0x1680,
  0x1680,
  0x2000,
  0x200a,
  0x2028,
  0x2029,
  0x202f,
  0x202f,
  0x205f,
  0x205f,
  0x3000,
  0x3000,
  0xfeff,
  0xfeff
]
const lineEnds: Ranges = [10, 10, 13, 13, 0x2028, 0x2029]

const opposite = (ranges: Ranges): Ranges => {
  const result: Array<number> = []
  let from = 0
  for (let i = 0; i < ranges.length; i += 2) {
    if (ranges[i]! > from) result.push(from, ranges[i]! - 1)
    from = ranges[i + 1]! + 1
  }
  if (from <= 0xffff) result.push(from, 0xffff)
  return result
}

const classes: Readonly<Record<string, Ranges>> = {
  d: digits,
  w: words,
  s: spaces,
  D: opposite(digits),
  W: opposite(words),
  S: opposite(spaces)
}

const controls: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 }

const has = ({ isNegated, ranges }: CharacterSet, code: number): boolean => {
  for (let i = 0; i < ranges.length; i += 2) {
    if (code >= ranges[i]! && code <= ranges[i + 1]!) return !isNegated
  }
  return isNegated
}

/** A recursive descent; the first refusal is kept, and everything after it counts for nothing. */
class Parser {
  readonly #pattern: string
  #at = 0
  #depth = 0
  refusal: string | undefined

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  parse(): Node {
    const node = this.#choice()
    if (this.#at < this.#pattern.length) this.#refuse("a ) without its (")
    return node
  }

  #refuse(reason: string): void {
    this.refusal ??= reason
    this.#at = this.#pattern.length
  }

  #take(text: string): boolean {
    if (!this.#pattern.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #choice(): Node {
    const parts = [this.#sequence()]
    while (this.#take("|")) parts.push(this.#sequence())
    return parts.length === 1 ? parts[0]! : { type: "choice", parts }
  }

  #sequence(): Node {
    const parts: Array<Node> = []
    while (this.#at < this.#pattern.length) {
      const character = this.#pattern[this.#at]
      if (character === "|" || character === ")") break
      parts.push(this.#repeated())
    }
    return { type: "sequence", parts }
  }

  #repeated(): Node {
    const part = this.#atom()
    const [least, most] = this.#quantifier()
    if (least === 1 && most === 1) return part
    if (part.type === "start" || part.type === "end") this.#refuse("a quantifier of nothing")
    // Greedy or not makes a difference to what is matched, not to whether.
    this.#take("?")
    if (/^[*+?]/.test(this.#pattern.slice(this.#at))) this.#refuse("a quantifier of a quantifier")
    return { type: "repeat", part, least, most }
  }

  #quantifier(): readonly [least: number, most: number] {
    if (this.#take("*")) return [0, Infinity]
    if (this.#take("+")) return [1, Infinity]
    if (this.#take("?")) return [0, 1]
    const counted = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.#pattern.slice(this.#at))
    if (counted === null) return [1, 1]
    this.#at += counted[0].length
    const least = Number(counted[1])
    const most = counted[2] === undefined ? least : counted[3] === "" ? Infinity : Number(counted[3])
    if (most < least) this.#refuse("a quantifier whose bounds are out of order")
    return [least, most]
  }

  #atom(): Node {
    const character = this.#pattern[this.#at++]!
    switch (character) {
      case "^":
        return { type: "start" }
      case "$":
        return { type: "end" }
      case ".":
        return { type: "set", set: { ranges: lineEnds, isNegated: true } }
      case "[":
        return { type: "set", set: this.#class() }
      case "(":
        return this.#group()
      case "\\":
        return { type: "set", set: { ranges: this.#escape(), isNegated: false } }
      case "*":
      case "+":
      case "?":
      case "{":
      case "}":
      case "]":
        this.#refuse(`a ${character} that is not escaped`)
    }
    const code = character.charCodeAt(0)
    return { type: "set", set: { ranges: [code, code], isNegated: false } }
  }

  #group(): Node {
    if (this.#take("?") && !this.#take(":")) this.#refuse("a group that is no plain one")
    if (++this.#depth > 50) this.#refuse("groups nested more than 50 deep")
    const node = this.#choice()
    this.#depth--
    if (this.refusal === undefined && !this.#take(")")) this.#refuse("a ( without its )")
    return node
  }

  #escape(): Ranges {
    const character = this.#pattern[this.#at++]
    if (character === undefined) {
      this.#refuse("a \\ at the end")
      return []
    }
    const known = classes[character]
    if (known !== undefined) return known
    const hex = character === "x" ? 2 : character === "u" ? 4 : 0
    const written = this.#pattern.slice(this.#at, this.#at + hex)
    let code = controls[character] ?? character.charCodeAt(0)
    if (hex > 0) {
      if (!/^[0-9a-f]+$/i.test(written) || written.length !== hex) this.#refuse(`a \\${character} without its digits`)
      this.#at += hex
      code = Number.parseInt(written, 16)
    } else if (/[A-Za-z1-9]/.test(character) && controls[character] === undefined) {
      this.#refuse(`\\${character}`)
    } else if (character === "0" && /^\d/.test(this.#pattern.slice(this.#at))) {
      this.#refuse("\\0 before a digit")
    }
    return [code, code]
  }

  #class(): CharacterSet {
    const isNegated = this.#take("^")
    const ranges: Array<number> = []
    while (!this.#take("]")) {
      if (this.#at >= this.#pattern.length) {
        this.#refuse("a [ without its ]")
        break
      }
      const from = this.#member()
      if (
        this.#pattern[this.#at] === "-" && this.#pattern[this.#at + 1] !== "]" && this.#at + 1 < this.#pattern.length
      ) {
        this.#at++
        const to = this.#member()
        if (from.length !== 2 || to.length !== 2 || from[0] !== from[1] || to[0] !== to[1] || to[0]! < from[0]!) {
          this.#refuse("a range out of order")
        }
        ranges.push(from[0] ?? 0, to[0] ?? 0)
      } else {
        ranges.push(...from)
      }
    }
    return { ranges, isNegated }
  }

  #member(): Ranges {
    const character = this.#pattern[this.#at++]!
    if (character === "\\") return this.#escape()
    const code = character.charCodeAt(0)
    return [code, code]
  }
}

type Instruction =
  | { readonly op: "set"; readonly set: CharacterSet }
  | { readonly op: "start" | "end" | "match" }
  | { readonly op: "split"; first: number; second: number }

/** The pattern as instructions, one after the other; `undefined` where there are too many. */
const instructionsOf = (root: Node): ReadonlyArray<Instruction> | undefined => {
  const program: Array<Instruction> = []
  const emit = (instruction: Instruction): void => {
    if (program.length <= maxInstructions) program.push(instruction)
  }
  const split = () => {
    const instruction = { op: "split" as const, first: program.length + 1, second: -1 }
    emit(instruction)
    return instruction
  }
  const jump = (): { first: number; second: number } => split()
  const write = (node: Node): void => {
    if (program.length > maxInstructions) return
    switch (node.type) {
      case "set":
        return emit({ op: "set", set: node.set })
      case "start":
      case "end":
        return emit({ op: node.type })
      case "sequence":
        return node.parts.forEach(write)
      case "choice": {
        const ends: Array<{ first: number; second: number }> = []
        for (const [index, part] of node.parts.entries()) {
          if (index === node.parts.length - 1) write(part)
          else {
            const fork = split()
            write(part)
            ends.push(jump())
            fork.second = program.length
          }
        }
        for (const end of ends) end.first = end.second = program.length
        return
      }
      case "repeat": {
        for (let i = 0; i < node.least && program.length <= maxInstructions; i++) write(node.part)
        if (node.most === Infinity) {
          const at = program.length
          const fork = split()
          write(node.part)
          const back = jump()
          back.first = back.second = at
          fork.second = program.length
          return
        }
        const forks: Array<{ second: number }> = []
        for (let i = node.least; i < node.most && program.length <= maxInstructions; i++) {
          forks.push(split())
          write(node.part)
        }
        for (const fork of forks) fork.second = program.length
      }
    }
  }
  write(root)
  emit({ op: "match" })
  return program.length > maxInstructions ? undefined : program
}

/** Where in the pattern a text may be. */
interface State {
  /** Instructions that take the next code unit. */
  readonly places: ReadonlyArray<number>
  readonly matches: boolean
  readonly matchesAtEnd: boolean
  /** By code unit, as far as it is known. */
  readonly next: Array<State | undefined>
}

const matcher = (program: ReadonlyArray<Instruction>): (text: string) => boolean => {
  const states = new Map<string, State>()

  const reach = (from: ReadonlyArray<number>, isStart: boolean, isEnd: boolean) => {
    const seen = new Uint8Array(program.length)
    const places: Array<number> = []
    let matches = false
    const pending = from.toReversed()
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      if (seen[at] === 1) continue
      seen[at] = 1
      const instruction = program[at]!
      if (instruction.op === "set") places.push(at)
      else if (instruction.op === "match") matches = true
      else if (instruction.op === "split") pending.push(instruction.second, instruction.first)
      else if (instruction.op === "start" ? isStart : isEnd) pending.push(at + 1)
    }
    return { places: places.sort((a, b) => a - b), matches }
  }
  const stateOf = (from: ReadonlyArray<number>, isStart: boolean): State => {
    const { matches, places } = reach(from, isStart, false)
    const matchesAtEnd = reach(from, isStart, true).matches
    const key = `${places.join()} ${matches} ${matchesAtEnd}`
    const known = states.get(key)
    if (known !== undefined) return known
    const state: State = { places, matches, matchesAtEnd, next: new Array<State | undefined>(128).fill(undefined) }
    if (states.size < maxStates) states.set(key, state)
    return state
  }
  const step = (state: State, code: number): State => {
    const from: Array<number> = []
    for (const place of state.places) {
      const instruction = program[place]!
      if (instruction.op === "set" && has(instruction.set, code)) from.push(place + 1)
    }
    // A match may begin anywhere.
    from.push(0)
    const next = stateOf(from, false)
    if (code < 128 && states.size < maxStates) state.next[code] = next
    return next
  }
  const first = stateOf([0], true)
  return (text) => {
    let state = first
    for (let i = 0; i < text.length && !state.matches; i++) {
      const code = text.charCodeAt(i)
      state = state.next[code] ?? step(state, code)
    }
    return state.matches || state.matchesAtEnd
  }
}

/** Whether the pattern is found in a text, as a function; or what it has that is not understood. */
export const compile = (pattern: string): Result.Result<(text: string) => boolean, string> => {
  const parser = new Parser(pattern)
  const root = parser.parse()
  if (parser.refusal !== undefined) return Result.fail(parser.refusal)
  const program = instructionsOf(root)
  return program === undefined ? Result.fail("too many repetitions") : Result.succeed(matcher(program))
}
