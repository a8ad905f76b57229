/** Real instrumentations in one process with Effect: one tree and one root for each request, and nothing leaks. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { postgres, redis } from "./mixed/servers.ts"

const folder = fileURLToPath(new URL(".", import.meta.url))
const [major, minor] = process.versions.node.split(".").map(Number) as [number, number]

const lines = [
  { name: "API 1.9, SDK 2", folder: join(folder, "line-2"), runs: true },
  { name: "API 1.10, SDK 3", folder: join(folder, "line-3"), runs: major > 22 || (major === 22 && minor >= 15) }
]

interface Printed {
  readonly leaked: boolean
  readonly spans: ReadonlyArray<{
    readonly name: string
    readonly traceId: string
    readonly spanId: string
    readonly parentSpanId?: string
    readonly scope: string
    readonly kind: string
  }>
}

const run = (
  folderOfLine: string,
  ports: ReadonlyArray<number>,
  concurrency: number,
  pipeline: string
): Effect.Effect<Printed> =>
  Effect.promise(() =>
    new Promise((resolve, reject) =>
      execFile(
        process.execPath,
        [
          "--import",
          "tsx",
          "--conditions=effect-telemetry-source",
          join(folder, "mixed/program.ts"),
          folderOfLine,
          ...ports.map(String),
          String(concurrency),
          pipeline
        ],
        { maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) => error === null ? resolve(JSON.parse(stdout) as Printed) : reject(new Error(stderr))
      )
    )
  )

/** A trace as text: each span under its parent, siblings in order of their text. */
const shapeOf = (spans: Printed["spans"], parent: string | undefined, depth = 0): ReadonlyArray<string> =>
  spans
    .filter(({ parentSpanId }) => parentSpanId === parent)
    .map((span) => [
      `${"  ".repeat(depth)}${span.name.replace(/ \d+$/, "")} ${span.kind} ${span.scope.split("/").at(-1)}`,
      ...shapeOf(spans, span.spanId, depth + 1)
    ])
    .sort((a, b) => a.join() < b.join() ? -1 : 1)
    .flat()

// Connecting is done once for each connection, not for each request.
const isConnecting = ({ name }: { readonly name: string }): boolean => /connect|HELLO|CLIENT/.test(name)

const expected = `
client INTERNAL effect-telemetry
  GET CLIENT instrumentation-http
    GET SERVER instrumentation-http
      GET SERVER effect-telemetry
        handle INTERNAL effect-telemetry
          GET CLIENT effect-telemetry
            GET CLIENT instrumentation-undici
            GET SERVER instrumentation-http
          call INTERNAL effect-telemetry
            GET CLIENT instrumentation-undici
              GET SERVER instrumentation-http
          query INTERNAL effect-telemetry
            pg.query:SELECT postgres CLIENT instrumentation-pg
          read INTERNAL effect-telemetry
            redis-GET CLIENT instrumentation-redis
`.trim()

// Behind the API the headers of Effect's client are written once, by the client itself; on an SDK that is there by what
// instruments `fetch`, so that its span is the parent.
const expectedThere = expected.replace(
  "undici\n            GET SERVER instrumentation-http",
  "undici\n              GET SERVER instrumentation-http"
)

/** Whose pipeline the spans are recorded by. */
const pipelines = {
  ours: { how: "behind the API", expected },
  theirs: { how: "on an SDK that is there", expected: expectedThere }
}

describe("instrumented libraries and Effect in one process", () => {
  for (const line of lines) {
    const isInstalled = existsSync(join(line.folder, "node_modules"))
    const skipped = !line.runs
      ? "needs Node 22.15 or later"
      : isInstalled
      ? undefined
      : `npm ci --prefix test/interop/${line.folder.split("/").at(-1)} installs it`
    for (const [pipeline, { expected, how }] of Object.entries(pipelines)) {
      const title = `${line.name}, ${how}: 50 requests at a time are 50 trees`
      it.live.skipIf(skipped !== undefined)(
        skipped === undefined ? title : `${title} (skipped: ${skipped})`,
        () =>
          Effect.scoped(Effect.gen(function*() {
            const ports = [yield* postgres, yield* redis]
            const { leaked, spans } = yield* run(line.folder, ports, 50, pipeline)
            assert.isFalse(leaked)
            const shapes = new Map<string, number>()
            const wanted = spans.filter((span) => !isConnecting(span))
            for (const traceId of new Set(wanted.map((span) => span.traceId))) {
              const shape = shapeOf(wanted.filter((span) => span.traceId === traceId), undefined).join("\n")
              shapes.set(shape, (shapes.get(shape) ?? 0) + 1)
            }
            assert.deepStrictEqual([...shapes], [[expected, 50]])
          })),
        120_000
      )
    }
  }
})
