/**
 * Usage: node scripts/join-modules.mjs <sources> <folder> <package.json>
 *
 * Writes the package once more into the folder, for runtimes: its code in one module (that of `testing` in another), and
 * for each public module a small one that exports its part. Node takes some 0.5 ms for each file of an import, which was
 * most of what importing this package took. Bundlers are given the modules one by one, and drop what is not used.
 */
import { readdir, readFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { rolldown } from "rolldown"

const [sources, folder, manifest] = process.argv.slice(2)
if (manifest === undefined) throw new Error("usage: node scripts/join-modules.mjs <sources> <folder> <package.json>")

const { exports } = JSON.parse(await readFile(manifest, "utf8"))
const keysWhere = (test) => Object.keys(exports).filter((key) => test(exports[key]))
const hidden = keysWhere((target) => target === null)
  .filter((key) => !key.includes("*/"))
  .map((key) => key.slice(2).replace("*", ""))
const doors = keysWhere((target) => typeof target === "object" && target !== null)
  .map((key) => exports[key].default)
  .filter((path) => !path.includes("*"))
  .map((path) => path.slice("./dist/".length, -".js".length))

const root = resolve(sources)
const extension = /\.[jt]s$/
const modules = (await readdir(root, { recursive: true }))
  .filter((file) => extension.test(file) && !file.endsWith(".d.ts"))
  .map((file) => file.replace(extension, "").replaceAll("\\", "/"))
const isPublic = (module) => doors.includes(module) || !hidden.some((part) => module.startsWith(part))
const isTesting = (id) => id.startsWith(join(root, "testing"))

const bundle = await rolldown({
  input: Object.fromEntries(modules.filter(isPublic).map((module) => [module, join(root, module)])),
  external: /^(effect|node:)/,
  platform: "neutral",
  resolve: { extensions: [".ts", ".js"] },
  // A program that runs uses what it imports; what no module exports is the compiler's to find.
  treeshake: false
})
const { output } = await bundle.write({
  dir: folder,
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "[name].js",
  codeSplitting: {
    groups: [
      { name: "all", test: (id) => !isTesting(id) },
      { name: "testing/all", test: isTesting }
    ]
  },
  minifyInternalExports: false,
  sourcemap: true,
  sourcemapExcludeSources: true
})
await bundle.close()
console.log(`joined ${modules.length} modules in ${output.length} files in ${folder}`)
