import * as Schema from "effect/Schema"

/** Of the keys of a struct, one and no more is stated. One check, and no union: what is wrong has its own path then. */
export const exactlyOne = Schema.makeFilter<object>((input) => {
  const stated = Object.entries(input).filter(([, value]) => value !== undefined).map(([key]) => key)
  return stated.length === 1
    ? undefined
    : stated.length === 0
    ? "expected a sampler"
    : { path: [stated[1]!], issue: `expected nothing beside ${stated[0]}` }
})
