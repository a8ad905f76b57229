/** Values that fight back when they are looked at, to be generated. */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Attributes from "../../src/model/Attributes.ts"

/** Values that no attribute is, or that fight back when looked at. */
const leaves: ReadonlyArray<() => unknown> = [
  () => undefined,
  () => null,
  () => NaN,
  () => -0,
  () => 2n ** 200n,
  () => -(2n ** 63n),
  () => Symbol("s"),
  () => Symbol.iterator,
  () => () => 1,
  () => class {},
  () => "\ud83d\ude00".repeat(3),
  () => "\ude00\ud83d",
  () => new Date(NaN),
  () => new Date(8.64e15),
  () => new Error("message", { cause: new Error("inner") }),
  () => Object.assign(new Error(), { name: { toString: () => [].at(0)!["x"] } }),
  () => Redacted.make("canary"),
  () => Option.some(Option.none()),
  () => Duration.infinity,
  () => new Uint8Array([1, 2, 3]),
  () => new Proxy(new Uint8Array(2), {}),
  () => new ArrayBuffer(2, { maxByteLength: 4 } as never),
  () => new BigInt64Array([-1n]),
  () => new WeakMap(),
  () => Promise.resolve(1),
  () => Object.create({ inherited: 1 }),
  () => new Array(20_000),
  () => Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i])),
  () => revoked(),
  () => new Proxy({}, { ownKeys: () => ["a", "b"] }),
  () => new Proxy({}, { getPrototypeOf: () => Uint8Array.prototype }),
  () => new Proxy([], { get: () => fail() }),
  () => ({ toJSON: fail }),
  () => ({ toJSON: () => ({ toJSON: () => 1n }) }),
  () => ({ [Symbol.toPrimitive]: fail, toString: fail, valueOf: fail }),
  () => Object.defineProperty({}, "trap", { enumerable: true, get: fail }),
  () => Object.defineProperty({}, Symbol.for("~effect/Redactable"), { value: fail }),
  () => JSON.parse("{\"__proto__\":{\"a\":1}}")
]

const fail = (): never => {
  throw new Error("hostile")
}

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

/** How a value is built. */
export type Plan =
  | { readonly leaf: number }
  | { readonly value: Attributes.AttributeValue }
  | { readonly kind: (typeof kinds)[number]; readonly keys: ReadonlyArray<string>; readonly items: ReadonlyArray<Plan> }

const kinds = ["array", "object", "map", "set", "option", "toJSON", "getters", "proxy", "cycle", "class"] as const

/** Schema of {@link Plan}, for generators. */
export const Plan: Schema.Codec<Plan, unknown> = Schema.Union([
  Schema.Struct({ leaf: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: leaves.length - 1 })) }),
  Schema.Struct({ value: Schema.toType(Attributes.AttributeValue) }),
  Schema.Struct({
    kind: Schema.Literals(kinds),
    keys: Schema.Array(Schema.String),
    items: Schema.Array(Schema.suspend((): Schema.Codec<Plan, unknown> => Plan))
  })
])

/** The value of a plan. */
export const build = (plan: Plan): unknown => {
  if ("leaf" in plan) return leaves[plan.leaf]!()
  if ("value" in plan) return plan.value
  const items = plan.items.map(build)
  const entries = items.map((item, i) => [plan.keys[i] ?? `k${i}`, item] as const)
  switch (plan.kind) {
    case "array":
      return items
    case "object":
      return Object.fromEntries(entries)
    case "map":
      return new Map<unknown, unknown>([...entries, [items[0], 1]])
    case "set":
      return new Set(items)
    case "option":
      return Option.some(items[0])
    case "toJSON":
      return { toJSON: () => items }
    case "getters":
      return Object.defineProperties(
        {},
        Object.fromEntries(entries.map(([key, item]) => [key, { enumerable: true, get: () => item }]))
      )
    case "proxy":
      return new Proxy(Object.fromEntries(entries), {})
    case "cycle": {
      const cycle: Array<unknown> = [...items]
      cycle.push(cycle, { cycle })
      return cycle
    }
    case "class":
      return Object.assign(Object.create({ inherited: true }), Object.fromEntries(entries))
  }
}
