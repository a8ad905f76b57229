import { defineConfig } from "vitest/config"
import { NotesReporter } from "./scripts/lib/notesReporter.ts"

// vitest 5 is written for Node 22; these three built-ins are what it misses on Node 20.
const missing: ReadonlyArray<[object, string, unknown]> = [
  [Map, "groupBy", (items: Iterable<unknown>, key: (item: unknown, index: number) => unknown) => {
    const groups = new Map<unknown, Array<unknown>>()
    let index = 0
    for (const item of items) {
      const group = key(item, index++)
      const members = groups.get(group)
      if (members === undefined) groups.set(group, [item])
      else members.push(item)
    }
    return groups
  }],
  [Object, "groupBy", (items: Iterable<unknown>, key: (item: unknown, index: number) => PropertyKey) => {
    const groups: Record<PropertyKey, Array<unknown>> = Object.create(null)
    let index = 0
    for (const item of items) (groups[key(item, index++)] ??= []).push(item)
    return groups
  }],
  [Promise, "withResolvers", <A>() => {
    let resolve!: (value: A | PromiseLike<A>) => void
    let reject!: (reason?: unknown) => void
    const promise = new Promise<A>((res, rej) => {
      resolve = res
      reject = rej
    })
    return { promise, resolve, reject }
  }]
]
for (const [target, name, value] of missing) {
  if (!(name in target)) Object.defineProperty(target, name, { value, configurable: true, writable: true })
}

export default defineConfig({
  resolve: { conditions: ["effect-telemetry-source"] },
  ssr: { resolve: { conditions: ["effect-telemetry-source", "node", "import", "default"] } },
  test: {
    include: ["test/**/*.test.ts"],
    // Processes, not threads: tests of exit hooks, environment variables and async-local context each own theirs.
    pool: "forks",
    allowOnly: process.env["CI"] === undefined,
    silent: "passed-only",
    reporters: ["default", new NotesReporter()],
    testTimeout: 30_000,
    hookTimeout: 120_000
  }
})
