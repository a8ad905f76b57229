import * as Effect from "effect/Effect"
import { growthProbe, inTurn } from "./growth.ts"

const keys = Array.from({ length: 128 }, (_, i) => `attribute.${i}`)

const attributes = (count: number, i: number): Record<string, unknown> => {
  const record: Record<string, unknown> = {}
  for (let k = 0; k < count; k++) record[keys[k]!] = (i + k) & 1023
  return record
}

export default growthProbe(
  (size, span) => inTurn(256, (i) => span(Effect.succeed(i & 7), "span", attributes(size, i))),
  () => 256
)
