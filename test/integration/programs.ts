/** Programs in processes of their own. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import * as OtlpDecoder from "../../src/otlp/OtlpDecoder.ts"
import type { SpanData } from "../../src/model/SpanData.ts"
import type { TestServer } from "./server.ts"

const root = new URL("../../", import.meta.url)

/** How a program ended, and what it wrote. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

export interface Program {
  readonly child: ChildProcess
  /** Completes when standard output holds `text`; fails when the program ends before. */
  readonly says: (text: string) => Effect.Effect<void>
  readonly ended: Effect.Effect<Ended>
}

/** Starts a program written in TypeScript that imports `effect-telemetry` by name; it is killed with the scope. */
export const start = (
  source: string,
  env: Record<string, string> = {}
): Effect.Effect<Program, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() =>
        spawn(
          process.execPath,
          ["--import", "tsx", "--conditions=effect-telemetry-source", "--input-type=module", "--eval", source],
          { cwd: root, env: { ...process.env, OTEL_SERVICE_NAME: "program", ...env }, stdio: "pipe" }
        )
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    ),
    (child) => {
      let out = ""
      let err = ""
      let end: Ended | undefined
      const listeners = new Set<() => void>()
      const look = (): void => listeners.forEach((listener) => listener())
      child.stdout.on("data", (chunk: Buffer) => {
        out += chunk.toString()
        look()
      })
      child.stderr.on("data", (chunk: Buffer) => err += chunk.toString())
      child.on("close", (code, signal) => {
        end = { code, signal, out, err }
        look()
      })
      const until = <A>(find: () => Effect.Effect<A> | undefined): Effect.Effect<A> =>
        Effect.callback<A>((resume) => {
          const listener = (): void => {
            const found = find()
            if (found === undefined) return
            listeners.delete(listener)
            resume(found)
          }
          listeners.add(listener)
          listener()
          return Effect.sync(() => listeners.delete(listener))
        })
      return {
        child,
        says: (text) =>
          until(() =>
            out.includes(text)
              ? Effect.void
              : end === undefined
              ? undefined
              : Effect.die(new Error(`ended without saying ${text}: ${out}\n${err}`))
          ),
        ended: until(() => end === undefined ? undefined : Effect.succeed(end))
      }
    }
  )

/** Runs a program to its end. */
export const run = (source: string, env?: Record<string, string>): Effect.Effect<Ended> =>
  Effect.scoped(Effect.flatMap(start(source, env), ({ ended }) => ended))

/** A program of the Promise facade: `options` of `initialize` as code, then `body`. */
export const facade = (options: string, body: string): string => `
  import { startSpan, trace, TraceContext } from "effect-telemetry/promise"
  await TraceContext.initialize({ ${options} })
  const spans = (from, to) => { for (let i = from; i < to; i++) trace("span " + i, () => {}) }
  ${body}
`

/** A folder that is deleted with the scope. */
export const temporary: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-telemetry-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** The files of a spool that hold or mark records. */
export const spoolFiles = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => /\.(seg|ack)$/.test(name))

/** All spans that a server was sent, in the order of arrival; of the requests that `isAccepted` says were accepted. */
export const spansOf = (
  server: TestServer,
  isAccepted: (index: number) => boolean = () => true
): ReadonlyArray<SpanData> => server.received.flatMap((request, index) => isAccepted(index) ? spansIn(request) : [])

/** The spans of one request. */
export const spansIn = ({ body, headers }: TestServer["received"][number]): ReadonlyArray<SpanData> =>
  Effect.runSync(Effect.fromResult(OtlpDecoder.decode(
    headers["content-type"]!,
    headers["content-encoding"] === "gzip" ? gunzipSync(body) : body
  )))

/** The names of {@link spansOf}. */
export const namesOf = (
  server: TestServer,
  isAccepted?: (index: number) => boolean
): ReadonlyArray<string> => spansOf(server, isAccepted).map(({ name }) => name)
