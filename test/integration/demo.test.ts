import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"

describe("npm run demo", () => {
  it("shows a trace and balanced books, ends by itself with 0, and leaves nothing behind", async () => {
    const child = spawn(
      process.execPath,
      ["--import", "tsx", "--conditions=effect-telemetry-source", "examples/demo/main.ts"],
      { cwd: new URL("../../", import.meta.url), env: { ...process.env, NO_COLOR: "1" } }
    )
    let out = ""
    child.stdout.on("data", (chunk: Buffer) => out += chunk.toString())
    child.stderr.on("data", (chunk: Buffer) => out += chunk.toString())
    // `close` comes when every process that holds the pipes has gone, the services included.
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve))
    assert.strictEqual(code, 0, out)
    for (const word of ["web", "orders", "payments", "exported", "balance"]) assert.include(out, word)
  }, 60_000)
})
