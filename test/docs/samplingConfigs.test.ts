import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { decodeText } from "../../src/sampling/SamplingConfig.ts"

const folder = fileURLToPath(new URL("../../docs/how-to/", import.meta.url))

describe("the sampling configurations of the documents", () => {
  it("can be taken", () => {
    const configurations = readdirSync(folder).flatMap((name) =>
      [...readFileSync(join(folder, name), "utf8").matchAll(/```json\n([^]+?)```/g)]
        .map(([, text]) => ({ name, text: text! }))
        .filter(({ text }) => text.includes("\"head\":"))
    )
    assert.isNotEmpty(configurations)
    for (const { name, text } of configurations) {
      const config = decodeText(text, name)
      assert.isTrue(Result.isSuccess(config), Result.isFailure(config) ? config.failure.message : "")
    }
  })
})
