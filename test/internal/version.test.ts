import { assert, it } from "@effect/vitest"
import manifest from "../../package.json" with { type: "json" }
import { version } from "../../src/internal/version.ts"

it("the version in the code is that of the package", () => {
  assert.strictEqual(version, manifest.version)
})
