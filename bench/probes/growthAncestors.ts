/** Bytes that a live span holds when `size` ancestors of it, each with 10 kB of attributes, have ended. */
import { startSpan, TraceContext } from "effect-telemetry/promise"
import { heldBytes } from "./memory.ts"
import { encodingOnly } from "./nullExporter.ts"
import type { Probe } from "./Probe.ts"

const weight = 10_000

const chain = (size: number) => {
  let span = startSpan("root", { root: true })
  for (let i = 0; i < size; i++) {
    const child = startSpan("child", { parent: span })
    child.setAttribute("heavy", Buffer.alloc(weight, 97 + i % 26).toString("latin1"))
    span.end()
    span = child
  }
  return span
}

const probe: Probe = {
  sample: async (size) => {
    await TraceContext.initialize(encodingOnly)
    chain(size).end()
    await TraceContext.flush()
    const before = heldBytes()
    const live = chain(size)
    await TraceContext.flush()
    const held = heldBytes() - before
    live.end()
    return held
  }
}

export default probe
