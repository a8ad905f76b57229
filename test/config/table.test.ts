import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { file, render, update } from "../../scripts/config-table.ts"
import type { OptionsOf, ValuesOf } from "../../src/config/setting.ts"
import type { settings } from "../../src/config/settings.ts"
import * as TelemetryConfig from "../../src/TelemetryConfig.ts"

const options = readFileSync(new URL("../../src/config/options.ts", import.meta.url), "utf8")

describe("the table", () => {
  it("is the one of docs/configuration.md", () => {
    const markdown = readFileSync(file, "utf8")
    assert.strictEqual(update(markdown), markdown)
  })

  it("shows every option and variable", () => {
    const text = render()
    for (const row of TelemetryConfig.table) {
      assert.strictEqual(text.split(`| \`${row.path}\` |`).length, 2, row.path)
      for (const variable of [...row.variables, ...row.refinements]) assert.include(text, `\`${variable}\``)
      assert.notStrictEqual(row.description, "")
      assert.notStrictEqual(row.default, "")
      assert.strictEqual(
        row.source === "",
        row.variables.length === 0 && !/schemaUrl|Depth|Request|Response|FromEnvironment/.test(row.path)
      )
    }
  })

  it("has the options that the types have", () => {
    expectTypeOf<OptionsOf<typeof settings>>().toExtend<TelemetryConfig.TelemetryOptions>()
    expectTypeOf<TelemetryConfig.TelemetryOptions>().toExtend<OptionsOf<typeof settings>>()
    expectTypeOf<ValuesOf<typeof settings>>().toExtend<TelemetryConfig.TelemetryConfig>()
    expectTypeOf<TelemetryConfig.TelemetryConfig>().toExtend<ValuesOf<typeof settings>>()
    expectTypeOf<keyof TelemetryConfig.TelemetryOptions>().toEqualTypeOf<keyof typeof settings>()
  })

  it("has the options that the documentation comments name", () => {
    for (const row of TelemetryConfig.table) {
      const general = row.variables.at(-1)
      if (general === undefined || row.path.startsWith("spanLimits.")) continue
      assert.include(options, `\`${general}\``, row.path)
    }
  })
})
