/** The example on Effect 3, which has its own dependencies: both traces must arrive whole. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const example = fileURLToPath(new URL("../../examples/effect-3", import.meta.url))

describe("a program on Effect 3 with @effect/platform and @effect/schema", () => {
  it("sends its spans through the packed library, whole, with tracestate and baggage", ({ skip }) => {
    if (!existsSync(join(example, "node_modules/telemetry/index.js"))) {
      skip("`npm run example:effect-3` installs it")
    }
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      [join(example, "node_modules/tsx/dist/cli.mjs"), "main.ts"],
      {
        cwd: example,
        encoding: "utf8",
        // Its own packed library, and no setting of whoever runs the tests.
        env: { PATH: process.env["PATH"] },
        timeout: 60_000
      }
    )
    assert.strictEqual(status, 0, stdout + stderr)
    assert.include(stdout, "two traces of 12 spans arrived whole")
    assert.notMatch(stdout + stderr, /effect-telemetry (error|warn):/)
  }, 90_000)
})
