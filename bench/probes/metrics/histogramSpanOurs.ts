/** Within a sampled span, of which the measurements may become exemplars. */
import * as Effect from "effect/Effect"
import type { Probe } from "../Probe.ts"
import { one } from "./cases.ts"
import { histogram } from "./ours.ts"

const inside = one((value, attributes) => histogram.record(value, attributes))

const probe: Probe = {
  sample: (size) => {
    let sampled = Promise.resolve(0)
    Effect.runSync(Effect.withSpan(
      Effect.sync(() => {
        sampled = inside.sample(size)
      }),
      "request"
    ))
    return sampled
  }
}

export default probe
