/** Expectations on whole trees of spans. */
import type { SpanData } from "../model/SpanData.ts"
import { describeMismatches, ExpectationError, type Mismatch, type Mismatches } from "./ExpectationError.ts"
import { compareSpan, hasName, printExpected, type SpanExpectation } from "./SpanExpectation.ts"
import { fromSpans, print, printSpan, type SpanTree } from "./SpanTree.ts"

/** What is expected of a span and of what is below it. What is left out is not asked. */
export interface TreeExpectation extends SpanExpectation {
  /** A list: exactly these children, in any order. `[]`: no children. */
  readonly children?: ReadonlyArray<TreeExpectation> | ChildrenExpectation | undefined
}

/** Which siblings are expected. */
export interface ChildrenExpectation {
  readonly of: ReadonlyArray<TreeExpectation>
  /** In order of their start. Default `false`: in any order. */
  readonly ordered?: boolean | undefined
  /** Among others. Default `false`: exactly these. */
  readonly atLeast?: boolean | undefined
}

/** What is expected of all trees together: one tree, several, or some among others. */
export type ForestExpectation = TreeExpectation | ReadonlyArray<TreeExpectation> | ChildrenExpectation

/**
 * Compares the trees that `spans` make with what is expected, and says what differs; `undefined` where nothing does.
 *
 * **Details**
 *
 * A single expectation asks for exactly one tree. Spans without their parent count as roots. Children in any order are
 * matched so that as many as possible fit, whichever comes first.
 */
export const matchTree = (spans: Iterable<SpanData>, expected: ForestExpectation): Mismatches | undefined => {
  const forest = fromSpans(spans)
  const wanted = Array.isArray(expected) || "of" in expected ? expected : [expected as TreeExpectation]
  const mismatches = new Comparison().compareAll(wanted as Children, forest, "root")
  return mismatches.length === 0
    ? undefined
    : describeMismatches("The spans do not make the expected tree.", mismatches, print(forest))
}

/** Like {@link matchTree}, but throws an {@link ExpectationError} where something differs. */
export const expectTree = (spans: Iterable<SpanData>, expected: ForestExpectation): void => {
  const found = matchTree(spans, expected)
  if (found !== undefined) throw new ExpectationError(found)
}

type Children = ReadonlyArray<TreeExpectation> | ChildrenExpectation
type Pair = readonly [expected: number, found: number]

class Comparison {
  // The same pair is asked about again while siblings are tried in different orders, and at each level above.
  readonly #verdicts = new Map<TreeExpectation, Map<SpanTree, boolean>>()
  readonly #differences = new Map<TreeExpectation, Map<SpanTree, ReadonlyArray<Mismatch>>>()

  /** What differs between siblings and what is expected of them; paths begin with a sibling. */
  compareAll(expected: Children, found: ReadonlyArray<SpanTree>, kind: "root" | "child"): Array<Mismatch> {
    const { atLeast = false, of, ordered = false }: ChildrenExpectation = "of" in expected ? expected : { of: expected }
    const pairs = ordered ? this.#inOrder(of, found) : this.#inAnyOrder(of, found)
    if (pairs.length === of.length && (atLeast || pairs.length === found.length)) return []
    return this.#explain(of, found, pairs, kind, atLeast, ordered)
  }

  #compare(expected: TreeExpectation, found: SpanTree): ReadonlyArray<Mismatch> {
    return memoized(this.#differences, expected, found, () => {
      const path = [found.span.name]
      const out: Array<Mismatch> = compareSpan(expected, found.span).map((message) => ({ path, message }))
      if (expected.children !== undefined) {
        for (const mismatch of this.compareAll(expected.children, found.children, "child")) {
          out.push({ path: [...path, ...mismatch.path], message: mismatch.message })
        }
      }
      return out
    })
  }

  #matches(expected: TreeExpectation, found: SpanTree): boolean {
    return memoized(
      this.#verdicts,
      expected,
      found,
      () =>
        compareSpan(expected, found.span).length === 0 &&
        (expected.children === undefined || this.#fits(expected.children, found.children))
    )
  }

  #fits(expected: Children, found: ReadonlyArray<SpanTree>): boolean {
    const { atLeast = false, of, ordered = false }: ChildrenExpectation = "of" in expected ? expected : { of: expected }
    if (of.length > found.length || (!atLeast && of.length !== found.length)) return false
    return (ordered ? this.#inOrder(of, found) : this.#inAnyOrder(of, found)).length === of.length
  }

  /** The largest matching, by augmenting paths: an earlier pair gives way where it can. */
  #inAnyOrder(expected: ReadonlyArray<TreeExpectation>, found: ReadonlyArray<SpanTree>): Array<Pair> {
    const takenBy = new Map<number, number>()
    const place = (wanted: number, tried: Set<number>): boolean => {
      for (let at = 0; at < found.length; at++) {
        if (tried.has(at) || !this.#matches(expected[wanted]!, found[at]!)) continue
        tried.add(at)
        const holder = takenBy.get(at)
        if (holder === undefined || place(holder, tried)) {
          takenBy.set(at, wanted)
          return true
        }
      }
      return false
    }
    for (let wanted = 0; wanted < expected.length; wanted++) place(wanted, new Set())
    return Array.from(takenBy, ([at, wanted]): Pair => [wanted, at])
  }

  /** The longest common subsequence. */
  #inOrder(expected: ReadonlyArray<TreeExpectation>, found: ReadonlyArray<SpanTree>): Array<Pair> {
    const width = found.length + 1
    const longest = new Uint32Array((expected.length + 1) * width)
    for (let i = expected.length - 1; i >= 0; i--) {
      for (let j = found.length - 1; j >= 0; j--) {
        longest[i * width + j] = this.#matches(expected[i]!, found[j]!)
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!)
      }
    }
    const pairs: Array<Pair> = []
    let i = 0
    let j = 0
    while (i < expected.length && j < found.length) {
      if (this.#matches(expected[i]!, found[j]!)) pairs.push([i++, j++])
      else if (longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!) i++
      else j++
    }
    return pairs
  }

  #explain(
    expected: ReadonlyArray<TreeExpectation>,
    found: ReadonlyArray<SpanTree>,
    pairs: ReadonlyArray<Pair>,
    kind: "root" | "child",
    atLeast: boolean,
    ordered: boolean
  ): Array<Mismatch> {
    const out: Array<Mismatch> = []
    const path: ReadonlyArray<string> = []
    const placed = new Set(pairs.map(([wanted]) => wanted))
    const free = new Set(found.keys())
    for (const [, at] of pairs) free.delete(at)
    const missing: Array<TreeExpectation> = []
    for (const [index, wanted] of expected.entries()) {
      if (placed.has(index)) continue
      const elsewhere = ordered ? [...free].find((at) => this.#matches(wanted, found[at]!)) : undefined
      if (elsewhere !== undefined) {
        free.delete(elsewhere)
        out.push({ path, message: `${kind} out of order: ${printExpected(wanted)}` })
        continue
      }
      const near = this.#nearest(wanted, [...free], found)
      if (near === undefined) missing.push(wanted)
      else {
        free.delete(near)
        for (const mismatch of this.#compare(wanted, found[near]!)) out.push(mismatch)
      }
    }
    // One of each left: it is the same span, and what differs is more than the name says.
    if (!atLeast && missing.length === 1 && free.size === 1) {
      for (const mismatch of this.#compare(missing[0]!, found[[...free][0]!]!)) out.push(mismatch)
      return out
    }
    for (const wanted of missing) out.push({ path, message: `missing ${kind}: ${printExpected(wanted)}` })
    if (!atLeast) {
      for (const at of free) out.push({ path, message: `unexpected ${kind}: ${printSpan(found[at]!.span)}` })
    }
    return out
  }

  /** The span of the expected name with the fewest differences. */
  #nearest(
    expected: TreeExpectation,
    free: ReadonlyArray<number>,
    found: ReadonlyArray<SpanTree>
  ): number | undefined {
    let nearest: number | undefined
    let fewest = Infinity
    for (const at of free) {
      if (expected.name === undefined || !hasName(expected, found[at]!.span)) continue
      const differences = this.#compare(expected, found[at]!).length
      if (differences < fewest) {
        nearest = at
        fewest = differences
      }
    }
    return nearest
  }
}

const memoized = <A>(
  cache: Map<TreeExpectation, Map<SpanTree, A>>,
  expected: TreeExpectation,
  found: SpanTree,
  compute: () => A
): A => {
  let row = cache.get(expected)
  if (row === undefined) cache.set(expected, row = new Map())
  let value = row.get(found)
  if (value === undefined) row.set(found, value = compute())
  return value
}
