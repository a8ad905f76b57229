import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { SignalLedger, snapshot } from "../../src/diagnostics/Ledger.ts"

const make = (level?: Diagnostics.DiagnosticLevel) => {
  const lines: Array<string> = []
  let at = 0
  const diagnostics = Diagnostics.make({ level, write: (line) => lines.push(line), now: () => at })
  return { diagnostics, lines, pass: (millis: number) => at += millis }
}

describe("Diagnostics", () => {
  it("tells a trouble once a minute for each key, and counts the rest", () => {
    const { diagnostics, lines, pass } = make()
    for (let i = 0; i < 5; i++) diagnostics.report("warn", "a", "trouble")
    diagnostics.report("warn", "b", "other")
    pass(59_999)
    diagnostics.report("warn", "a", "trouble")
    pass(1)
    diagnostics.report("warn", "a", "trouble")
    assert.deepStrictEqual(lines, [
      "effect-telemetry warn: trouble",
      "effect-telemetry warn: other",
      "effect-telemetry warn: trouble (and 5 more like it)"
    ])
    assert.strictEqual(diagnostics.counts.get("a"), 7)
  })

  it("follows the level, and counts what it does not write", () => {
    const { diagnostics, lines } = make("error")
    diagnostics.report("warn", "a", "quiet")
    diagnostics.report("error", "b", "loud")
    assert.deepStrictEqual(lines, ["effect-telemetry error: loud"])
    assert.strictEqual(diagnostics.counts.get("a"), 1)
    const none = make("none")
    none.diagnostics.report("error", "b", "loud")
    assert.deepStrictEqual(none.lines, [])
  })

  it("keeps a foreign text on one line, without control characters, and bounded", () => {
    const { diagnostics, lines } = make()
    diagnostics.report("warn", "a", `\u001b[31mred\u001b[0m\r\u0007\u009b${"x".repeat(5000)}`)
    assert.strictEqual(lines[0]!.length, 1024)
    // eslint-disable-next-line no-control-regex
    assert.notMatch(lines[0]!, /[\u0000-\u001f\u007f-\u009f]/)
    diagnostics.report("warn", "b", "one\u2028two \u202ethree\u2066")
    assert.strictEqual(lines[1], "effect-telemetry warn: one two  three ")
  })

  it("survives a writer that throws", () => {
    Diagnostics.make({
      write: () => {
        throw new Error("closed")
      }
    }).report("error", "a", "x")
  })

  it("a standard error whose reader has gone does not end the process", async () => {
    const child = spawn(process.execPath, [
      "--import",
      "tsx",
      "--conditions=effect-telemetry-source",
      "--input-type=module",
      "--eval",
      `import { Diagnostics } from "effect-telemetry"
       process.on("message", () => {})
       process.stdin.once("data", async () => {
         const diagnostics = Diagnostics.make()
         for (let i = 0; i < 50; i++) {
           diagnostics.report("error", String(i), "x".repeat(900))
           await new Promise((resolve) => setTimeout(resolve, 1))
         }
         console.log("alive")
         process.exit(0)
       })
       console.log("ready")`
    ], { cwd: new URL("../../", import.meta.url) })
    let out = ""
    await new Promise<void>((resolve) => {
      child.stdout.on("data", (chunk: Buffer) => {
        out += chunk.toString()
        if (out === "ready\n") {
          child.stderr.destroy()
          child.stdin.write("go\n")
        }
      })
      child.once("close", () => resolve())
    })
    assert.strictEqual(out, "ready\nalive\n")
    assert.strictEqual(child.exitCode, 0)
  })
})

describe("Ledger", () => {
  it("balances when every item is answered for, and says what is missing when not", () => {
    const ledger = new SignalLedger()
    const account = ledger.account("test")
    ledger.created = 10
    ledger.open = 1
    ledger.sampledOut = 2
    account.exported = 3
    account.queued = 1
    account.drop("queue_full", 2)
    account.reject("partial_rejected")
    account.drop("filtered", 0)
    assert.strictEqual(ledger.unaccounted(account), 0)
    ledger.created++
    const copy = snapshot(ledger)
    account.exported++
    assert.strictEqual(copy.destinations[0]!.unaccounted, 1)
    assert.deepStrictEqual(copy.destinations[0]!.dropped, { queue_full: 2 })
  })
})
