/**
 * What another process reads of a JSON value that this one writes.
 *
 * `JSON.parse` of Node 24 and 26 reads a key that is one escaped character (`"\n"`, `"\u0000"`) as a backslash once it
 * has seen the key `"\\"` in an object of the same shape (nodejs/node#63785, a bug of V8). Random keys meet it once in
 * some ten thousand objects. A law of ours is not about that: where the engine does not keep its own text, a copy of
 * the value takes its place.
 */
export const throughJson = (value: unknown): unknown => {
  const json = JSON.stringify(value)
  const read: unknown = JSON.parse(json)
  return JSON.stringify(read) === json ? read : structuredClone(value)
}
