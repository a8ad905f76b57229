/** Where console exporters write: a standard stream, or a function of the program's. */
import * as Effect from "effect/Effect"
import type { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { lineWriter } from "../internal/lineWriter.ts"
import type * as Terminal from "../internal/terminal.ts"

const lost = "the console exporter cannot write; what it was given is lost"

const writeTo = (stream: Terminal.StreamName, diagnostics: Diagnostics): (text: string) => void =>
  lineWriter(stream, () => {
    // Diagnostics speak on standard error.
    if (stream === "stdout") diagnostics.report("error", "exporter.console", lost)
  })

const safely = (write: (text: string) => void, diagnostics: Diagnostics) => (text: string): void => {
  try {
    write(text)
  } catch {
    diagnostics.report("error", "exporter.console", lost)
  }
}

/** What writes whole lines; a failure is told once, and throws into nobody. */
export const makeWrite = (
  own: ((text: string) => void) | undefined,
  stream: Terminal.StreamName,
  diagnostics: Diagnostics
): (text: string) => void => safely(own ?? writeTo(stream, diagnostics), diagnostics)

/** The parts of an exporter that writes each item as one line of OTLP JSON; `encode` gives its bytes, or `undefined`. */
export const otlpLines = <Item>(
  write: (text: string) => void,
  encode: (item: Item) => Uint8Array | undefined
) => {
  const decoder = new TextDecoder()
  const makeBatch = () => {
    const lines: Array<string> = []
    let bytes = 0
    return {
      lines,
      get count() {
        return lines.length
      },
      get bytes() {
        return bytes
      },
      add(item: Item, maxBytes: number): boolean {
        const body = encode(item)
        if (body === undefined || bytes + body.length > maxBytes) return false
        lines.push(decoder.decode(body))
        bytes += body.length
        return true
      }
    }
  }
  return {
    name: "console",
    makeBatch,
    export: (batch: ReturnType<typeof makeBatch>) =>
      Effect.sync(() => {
        if (batch.lines.length > 0) write(batch.lines.join("\n"))
        return { exported: batch.count }
      })
  }
}
