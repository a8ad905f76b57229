// Builds the OpenTelemetry Collector of builder.yaml into .cache/collector/otelcol, once for each content of that file.
// Where it cannot be built (no Go, no network) it says so in one line and exits 0; with --required it exits 1.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const manifestPath = fileURLToPath(new URL("builder.yaml", import.meta.url))
const cache = fileURLToPath(new URL("../../.cache/collector/", import.meta.url))
const suffix = process.platform === "win32" ? ".exe" : ""
const binary = `${cache}otelcol${suffix}`
const stampPath = `${cache}stamp`

const manifest = readFileSync(manifestPath, "utf8")
const version = /^ {2}version: (\S+)$/m.exec(manifest)?.[1]
if (version === undefined) throw new Error("builder.yaml names no dist.version")
const stamp = createHash("sha256").update(manifest).digest("hex")

const skip = (reason) => {
  console.log(`collector: skipped, ${reason}`)
  process.exit(process.argv.includes("--required") ? 1 : 0)
}

const run = (what, command, args, env) => {
  const result = spawnSync(command, args, { cwd: cache, env, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 })
  if (result.status === 0) return result.stdout.trim()
  const output = `${result.stderr ?? ""}${result.stdout ?? ""}`.trim().split("\n").slice(-5).join("\n")
  skip(`${what} failed: ${result.error?.message ?? output}`)
}

if (existsSync(binary) && existsSync(stampPath) && readFileSync(stampPath, "utf8") === stamp) {
  console.log(`collector: ${version} is built`)
  process.exit(0)
}
if (spawnSync("go", ["version"]).status !== 0) skip("Go is not installed")

mkdirSync(cache, { recursive: true })
const flags = run("go env", "go", ["env", "GOFLAGS"], process.env)
const env = {
  ...process.env,
  GOBIN: `${cache}bin`,
  // One compiler at a time: the build must leave the machine usable.
  GOFLAGS: [flags, /(^| )-p=/.test(flags) ? "" : "-p=1", "-buildvcs=false"].filter((flag) => flag !== "").join(" ")
}
console.log(`collector: building ${version}, which takes some minutes`)
run("go install of the builder", "go", ["install", `go.opentelemetry.io/collector/cmd/builder@v${version}`], env)
rmSync(`${cache}dist`, { recursive: true, force: true })
// The builder tidies the module it writes, which also asks for what only the tests of its dependencies need. Where a
// module proxy lacks one of those, the builder stops after writing the sources, and they compile all the same.
spawnSync(`${cache}bin/builder${suffix}`, [`--config=${manifestPath}`, "--skip-compilation"], { cwd: cache, env })
if (!existsSync(`${cache}dist/go.mod`)) skip("the collector builder wrote no sources")
run(
  "go build",
  "go",
  ["-C", "dist", "build", "-mod=mod", "-trimpath", "-ldflags=-s -w", "-o", `otelcol${suffix}`, "."],
  env
)
// The stamp goes first and comes back last, so that an interrupted build is never taken for a finished one.
rmSync(stampPath, { force: true })
renameSync(`${cache}dist/otelcol${suffix}`, binary)
writeFileSync(stampPath, stamp)
console.log(`collector: ${version} is built`)
