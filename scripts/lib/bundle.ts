/** What a program weighs when a bundler has dropped what it does not use. */
import { build } from "esbuild"
import { gzipSync } from "node:zlib"

/** A small program, and what it may weigh and carry. */
export interface Program {
  readonly code: string
  /** Most bytes, minified and gzipped. */
  readonly budget: number
  /** Parts of paths of modules that must leave no byte in the bundle. */
  readonly never: ReadonlyArray<string>
}

/** A bundled program. */
export interface Bundle {
  readonly minified: number
  readonly gzipped: number
  /** Every module that left bytes in the bundle, heaviest first. */
  readonly modules: ReadonlyArray<{ readonly path: string; readonly bytes: number }>
}

/** Bundles `code` as an ES module of a project that has the package installed. */
export const bundle = async (code: string, project: string): Promise<Bundle> => {
  const result = await build({
    stdin: { contents: code, resolveDir: project, loader: "js" },
    absWorkingDir: project,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    write: false,
    metafile: true,
    logLevel: "silent"
  })
  const text = result.outputFiles[0]!.contents
  const [output] = Object.values(result.metafile.outputs)
  const modules = Object.entries(output!.inputs)
    .map(([path, { bytesInOutput }]) => ({ path, bytes: bytesInOutput }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
  return { minified: text.length, gzipped: gzipSync(text, { level: 9 }).length, modules }
}
