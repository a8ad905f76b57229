/** A vitest reporter that ends the run with what tests noted, and which tests were skipped, each with its reason. */
import type { Reporter, TestCase, TestModule } from "vitest/node"

/** Prints after the default reporter has summed up. */
export class NotesReporter implements Reporter {
  readonly #notes: Array<string> = []
  readonly #skipped: Array<string> = []

  onTestCaseAnnotate(test: TestCase, annotation: { readonly message: string }): void {
    this.#notes.push(`${test.module.relativeModuleId}: ${annotation.message}`)
  }

  onTestModuleEnd(module: TestModule): void {
    for (const test of module.children.allTests("skipped")) {
      const result = test.result()
      const reason = result.state === "skipped" ? result.note : undefined
      // A failed suite skips its tests; that is told as the failure it is.
      if (reason === undefined && !module.ok()) continue
      this.#skipped.push(`${module.relativeModuleId} > ${test.fullName}: ${reason ?? "no reason given"}`)
    }
  }

  onTestRunEnd(): void {
    if (this.#notes.length > 0) console.log(`Notes\n${this.#notes.map((note) => `  ${note}`).join("\n")}\n`)
    if (this.#skipped.length > 0) console.log(`Skipped\n${this.#skipped.map((line) => `  ${line}`).join("\n")}\n`)
  }
}
