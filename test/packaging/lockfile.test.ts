import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const read = <A>(name: string): A => JSON.parse(readFileSync(join(root, name), "utf8")) as A

interface Manifest {
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional: boolean }>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly engines?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
  readonly optional?: boolean
  readonly os?: ReadonlyArray<string>
  readonly resolved?: string
  readonly integrity?: string
}

const manifest = read<Manifest>("package.json")
const { packages } = read<{ readonly packages: Readonly<Record<string, Manifest>> }>("package-lock.json")

describe("the dependencies", () => {
  it("are one peer, an optional one, and nothing else", () => {
    assert.deepStrictEqual(Object.keys(manifest.peerDependencies ?? {}), ["@opentelemetry/api", "effect"])
    assert.deepStrictEqual(manifest.peerDependenciesMeta, { "@opentelemetry/api": { optional: true } })
    assert.isUndefined(manifest.dependencies)
    assert.isUndefined(manifest.optionalDependencies)
  })

  it("of the workshop are exact", () => {
    for (const [name, version] of Object.entries(manifest.devDependencies ?? {})) {
      assert.match(version, /^(npm:@?[\w./-]+@)?\d+\.\d+\.\d+$/, name)
    }
  })

  it("of the workshop are explained", () => {
    const decision = readFileSync(join(root, "docs/decisions/0001-toolchain.md"), "utf8")
    const unexplained = Object.keys(manifest.devDependencies ?? {}).filter((name) =>
      name !== "effect" && !decision.includes(`\`${name}\``) && !name.startsWith("@opentelemetry/")
    )
    assert.deepStrictEqual(unexplained, [])
  })

  it("are locked as package.json asks", () => {
    const { devDependencies, engines, peerDependencies } = packages[""]!
    assert.deepStrictEqual(
      { devDependencies, engines, peerDependencies },
      {
        devDependencies: manifest.devDependencies,
        engines: manifest.engines,
        peerDependencies: manifest.peerDependencies
      }
    )
  })

  it("are locked by digest, and from nowhere but the registry", () => {
    // What is only for another platform was never downloaded here, and has no digest.
    const strange = Object.entries(packages).filter(([key, { integrity, optional, os, resolved }]) =>
      key !== "" && !(optional === true && os !== undefined && integrity === undefined) &&
      (integrity?.startsWith("sha512-") !== true || resolved?.startsWith("https://registry.npmjs.org/") === false)
    )
    assert.deepStrictEqual(strange.map(([key]) => key), [])
  })

  it("run nothing when this library is installed", () => {
    const hooks = ["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"]
    assert.deepStrictEqual(hooks.filter((hook) => manifest.scripts?.[hook] !== undefined), [])
  })

  it("are locked for every platform, or `npm ci` refuses (`node scripts/complete-lock.mjs` mends it)", () => {
    const missing = Object.entries(packages).flatMap(([key, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) =>
        packages[`node_modules/${name}`] === undefined && packages[`${key}/node_modules/${name}`] === undefined
      )
    )
    assert.deepStrictEqual(missing, [])
  })
})
