/** PostgreSQL and Redis for the mixed program: the real ones where they are installed, else what a client sees of them. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { execFileSync, spawn } from "node:child_process"
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../../integration/server.ts"

const find = (name: string): string | undefined => {
  const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql") : []
  return [
    ...(process.env["PATH"] ?? "").split(":").filter((folder) => folder !== ""),
    ...versions.map((version) => `/usr/lib/postgresql/${version}/bin`)
  ].map((folder) => join(folder, name)).find((file) => existsSync(file))
}

const answers = (port: number): Effect.Effect<void> =>
  Effect.promise(() =>
    new Promise<boolean>((resolve) => {
      const socket = Net.connect(port, "127.0.0.1")
      socket.on("connect", () => {
        socket.destroy()
        resolve(true)
      })
      socket.on("error", () => resolve(false))
    })
  ).pipe(
    Effect.flatMap((isUp) => isUp ? Effect.void : Effect.andThen(Effect.sleep("50 millis"), Effect.fail("not yet"))),
    Effect.eventually,
    Effect.timeout("20 seconds"),
    Effect.orDie
  )

const folder = (name: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), name))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
  )

/** A user who may run PostgreSQL, which refuses to be run by root. */
const unprivileged = (): { readonly uid: number; readonly gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }))
  return { uid: id("-u"), gid: id("-g") }
}

const daemon = (
  file: string,
  args: ReadonlyArray<string>,
  options: Parameters<typeof spawn>[2],
  signal: NodeJS.Signals = "SIGTERM"
) =>
  Effect.acquireRelease(
    Effect.sync(() => spawn(file, args, { stdio: "ignore", ...options })),
    (child) =>
      Effect.promise(() =>
        new Promise<void>((resolve) => {
          if (child.exitCode !== null) return resolve()
          child.on("exit", () => resolve())
          child.kill(signal)
        })
      )
  )

const realRedis = Effect.fnUntraced(function*(file: string) {
  const port = yield* freePort
  const dir = yield* folder("effect-telemetry-redis-")
  yield* daemon(file, ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", dir], {})
  yield* answers(port)
  return port
})

const realPostgres = Effect.fnUntraced(function*(file: string) {
  const port = yield* freePort
  const dir = yield* folder("effect-telemetry-postgres-")
  const user = unprivileged()
  if (user !== undefined) chownSync(dir, user.uid, user.gid)
  const data = join(dir, "data")
  execFileSync(file, ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], { stdio: "ignore", cwd: dir, ...user })
  const server = join(file, "../postgres")
  yield* daemon(
    existsSync(server) ? server : "postgres",
    ["-D", data, "-p", String(port), "-k", dir, "-c", "listen_addresses=127.0.0.1"],
    { cwd: dir, ...user },
    "SIGQUIT"
  )
  yield* answers(port)
  // It accepts connections a moment before it accepts queries.
  yield* Effect.sleep("500 millis")
  return port
})

/** A server that answers each piece of input by `reply`. */
const fake = (reply: (input: Buffer, isFirst: boolean) => Buffer | string): Effect.Effect<number, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() =>
        new Promise<Net.Server>((resolve) => {
          const server = Net.createServer((socket) => {
            let isFirst = true
            socket.on("error", () => {})
            socket.on("data", (input) => {
              socket.write(reply(input, isFirst))
              isFirst = false
            })
          }).listen(0, "127.0.0.1", () => resolve(server))
        })
      ),
      (server) => Effect.sync(() => server.close())
    ),
    (server) => (server.address() as Net.AddressInfo).port
  )

const message = (type: string, ...parts: ReadonlyArray<Buffer>): Buffer => {
  const body = Buffer.concat(parts)
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255])
const int32 = (value: number): Buffer =>
  Buffer.from([value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255])
const ready = message("Z", Buffer.from("I"))

// One row of one column for every query.
const fakePostgres = fake((_, isFirst) =>
  isFirst
    ? Buffer.concat([message("R", int32(0)), ready])
    : Buffer.concat([
      message("T", int16(1), Buffer.from("one\0"), int32(0), int16(0), int32(23), int16(4), int32(-1), int16(0)),
      message("D", int16(1), int32(1), Buffer.from("1")),
      message("C", Buffer.from("SELECT 1\0")),
      ready
    ])
)

// One answer for each command in the input: there is nothing under any key.
const fakeRedis = fake((input) =>
  (input.toString().match(/^\*\d+\r$/gm) ?? ["*"]).map(() => /HELLO/i.test(input.toString()) ? "+OK\r\n" : "$-1\r\n")
    .join("")
)

/** The port of a server: the real one where its program is found. */
const choose = (
  program: string,
  real: (file: string) => Effect.Effect<number, never, Scope.Scope>,
  otherwise: Effect.Effect<number, never, Scope.Scope>
): Effect.Effect<number, never, Scope.Scope> => {
  const file = find(program)
  return file === undefined ? otherwise : real(file)
}

export const postgres = choose("initdb", realPostgres, fakePostgres)
export const redis = choose("redis-server", realRedis, fakeRedis)
