/**
 * What is wrong with foreign data, in one line: the place, the value there, what is expected.
 */
import * as SchemaIssue from "effect/SchemaIssue"

const missing = "missing"
const unknown = "unknown"

const format = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) =>
    issue._tag === "MissingKey"
      ? missing
      : issue._tag === "UnexpectedKey"
      ? unknown
      : SchemaIssue.defaultLeafHook(issue)
})

interface Leaf {
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string
  readonly rank: number
}

const mostText = 80

const shorten = (text: string): string => text.length <= mostText ? text : `${text.slice(0, mostText)}…`

const show = (value: unknown): string => {
  // `undefined` for a function or a symbol.
  const text: string | undefined = typeof value === "bigint"
    ? `${value}n`
    : value === undefined
    ? "undefined"
    : JSON.stringify(value)
  return text === undefined ? `a ${typeof value}` : shorten(text)
}

const isObject = (value: unknown): value is Readonly<Record<PropertyKey, unknown>> =>
  typeof value === "object" && value !== null

const at = (input: unknown, path: ReadonlyArray<PropertyKey>): unknown => {
  let value = input
  for (const key of path) {
    if (!isObject(value)) return undefined
    value = value[key]
  }
  return value
}

const nameOf = (path: ReadonlyArray<PropertyKey>): string => path.map(String).join(".")

const distinct = (texts: ReadonlyArray<string>): ReadonlyArray<string> => [...new Set(texts)]

const listed = (texts: ReadonlyArray<string>): string =>
  texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} or ${texts[texts.length - 1]}`

/**
 * Describes why a Schema refused `input`; `name` is what the whole of it is called. To be used where every issue was
 * asked for (`errors: "all"`) and where `input` holds no secret.
 *
 * **Details**
 *
 * Where the Schema is a union, each of its members says why it was none of them. What lies deepest is nearest to what the
 * author meant; of equally deep ones, a wrong value is nearer than a key that nobody knows, and that than a missing one.
 */
export const issueLine = (issue: SchemaIssue.Issue, input: unknown, name: string): string => {
  const leaves = format(issue).issues.map(({ message, path = [] }): Leaf => ({
    path: path as ReadonlyArray<PropertyKey>,
    message: message.replace(/^expected /i, "").replace(/ \| undefined$/, ""),
    rank: message === missing ? 0 : message === unknown ? 1 : 2
  }))
  const deepest = Math.max(...leaves.map(({ path }) => path.length))
  const deep = leaves.filter(({ path }) => path.length === deepest)
  const rank = Math.max(...deep.map((leaf) => leaf.rank))
  const candidates = deep.filter((leaf) => leaf.rank === rank)
  // A key that all members refuse is the wrong one, not what one of them needs.
  const named = new Map<string, Array<Leaf>>()
  for (const leaf of candidates) {
    const place = nameOf(leaf.path)
    const there = named.get(place)
    if (there === undefined) named.set(place, [leaf])
    else there.push(leaf)
  }
  const [place, chosen] = [...named].reduce((best, entry) => entry[1].length > best[1].length ? entry : best)
  const where = place === "" ? name : place
  if (rank === 0) return `${where} is missing`
  if (rank === 2) {
    return `${where} is ${show(at(input, chosen[0]!.path))}, expected ${
      listed(distinct(chosen.map(({ message }) => message)))
    }`
  }
  const parent = nameOf(chosen[0]!.path.slice(0, -1))
  const known = distinct(
    deep.filter((leaf) => leaf.rank === 0 && nameOf(leaf.path.slice(0, -1)) === parent)
      .map(({ path }) => String(path[path.length - 1]))
  )
  return `${where} is not known${known.length === 0 ? "" : `, expected ${listed(known)}`}`
}
