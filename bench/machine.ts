/** Where a run took place: figures in microseconds mean nothing without it. */
import { readFileSync } from "node:fs"
import * as os from "node:os"

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly os: string
  readonly node: string
  readonly v8: string
  /** Processes that waited for a core as the run began and as it ended, averaged over a minute. */
  readonly loadBefore: number
  readonly loadAfter: number
  readonly packages: Readonly<Record<string, string>>
}

const measured = [
  "effect",
  "@effect/opentelemetry",
  "@opentelemetry/api",
  "@opentelemetry/sdk-trace-base",
  "@opentelemetry/sdk-trace-node",
  "@opentelemetry/exporter-trace-otlp-proto"
]

const versionIn = (file: URL): string =>
  (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version

const modules = new URL("../node_modules/", import.meta.url)

/** Call as the run begins; call the result as it ends. */
export const describe = (): () => Machine => {
  const loadBefore = os.loadavg()[0]!
  return () => ({
    cpu: os.cpus()[0]?.model.trim() ?? "unknown",
    cores: os.cpus().length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    os: `${os.platform()} ${os.release()} ${os.arch()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    loadBefore,
    loadAfter: os.loadavg()[0]!,
    packages: {
      "effect-telemetry": versionIn(new URL("../package.json", import.meta.url)),
      ...Object.fromEntries(measured.map((name) => [name, versionIn(new URL(`${name}/package.json`, modules))]))
    }
  })
}

/** In one line. */
export const machineText = ({ cores, cpu, memoryGiB, node, os, packages }: Machine): string => {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`).join(", ")
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os}, Node ${node}; ${versions}`
}
