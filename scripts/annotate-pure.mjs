/**
 * Usage: node scripts/annotate-pure.mjs <folder>
 *
 * Marks the calls that run when a module is loaded as free of side effects, in every .js file under the folder, so that
 * a bundler can drop what a program does not use: layers, schemas, and services written
 * `class X extends Context.Service()(…) {}`. Comments and source maps are kept.
 */
import { transformAsync } from "@babel/core"
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"

const folder = process.argv[2]
if (folder === undefined) throw new Error("usage: node scripts/annotate-pure.mjs <folder>")

const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".js"))
for (const file of files) {
  const path = join(folder, file)
  const code = await readFile(path, "utf8")
  const inputSourceMap = JSON.parse(await readFile(`${path}.map`, "utf8"))
  const result = await transformAsync(code.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"), {
    filename: path,
    babelrc: false,
    configFile: false,
    compact: false,
    retainLines: false,
    sourceMaps: true,
    inputSourceMap,
    plugins: ["annotate-pure-calls"]
  })
  const name = file.split(/[\\/]/).at(-1)
  await writeFile(path, `${result.code}\n//# sourceMappingURL=${name}.map\n`)
  await writeFile(`${path}.map`, JSON.stringify(result.map))
}
console.log(`annotated ${files.length} files in ${folder}`)
