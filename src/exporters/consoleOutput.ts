/** Where console exporters write: a standard stream, or a function of the program's. */
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
