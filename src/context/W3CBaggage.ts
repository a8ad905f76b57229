/**
 * W3C Baggage: the `baggage` header.
 *
 * **Details**
 *
 * At most 64 entries and 8,192 bytes are read and written, over all lines of the header together, each entry whole or not
 * at all. What the specification does not allow in a header is percent-encoded; a key that is no HTTP token is not sent.
 */
import * as Baggage from "../model/Baggage.ts"
import { emptyContext, type TextMapPropagator } from "./TextMap.ts"

/** The propagator of `baggage`. */
export const propagator: TextMapPropagator = {
  fields: ["baggage"],
  inject({ baggage }, set) {
    if (baggage.size === 0) return
    const header = Baggage.toHeader(baggage)
    if (header !== "") set("baggage", header)
  },
  extract(carrier, context = emptyContext) {
    const lines = carrier.get("baggage")
    if (lines === undefined) return context
    const baggage = Baggage.parse(lines)
    return baggage.size === 0 ? context : { spanContext: context.spanContext, baggage }
  }
}
