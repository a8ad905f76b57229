/** The processes of the fault matrix. Each is ended by the run that started it. */
import { type ChildProcess, fork, spawn } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Answer, type Ask, now, type Said, type Setup, type StageLog } from "./protocol.ts"

const compiled = fileURLToPath(new URL("../../.cache/bench/bench/faults/", import.meta.url))

/** Telemetry of the shell must configure no contender. */
const environment = (extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("OTEL_") && name !== "NODE_OPTIONS")
  ),
  ...extra
})

/** A stage of the server, seen from the run. */
export interface Stage {
  readonly endpoint: string
  readonly heal: () => Promise<void>
  readonly log: () => Promise<StageLog>
  readonly close: () => Promise<void>
}

export interface HostileServer {
  readonly open: (fault: string) => Promise<Stage>
  readonly stop: () => void
}

type Question<A> = A extends Ask ? Omit<A, "id"> : never

export const startServer = (): HostileServer => {
  const server = fork(join(compiled, "server.js"), { execArgv: [], env: environment(), stdio: "inherit" })
  const waiting = new Map<number, (answer: Answer) => void>()
  let next = 1
  server.on("message", (answer: Answer) => {
    waiting.get(answer.id)?.(answer)
    waiting.delete(answer.id)
  })
  server.on("exit", () => {
    for (const [id, settle] of waiting) settle({ id, error: "the server ended" })
  })
  const ask = (question: Question<Ask>): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const id = next++
      waiting.set(id, (answer) => answer.error === undefined ? resolve(answer) : reject(new Error(answer.error)))
      server.send({ ...question, id })
    })
  return {
    open: async (fault) => {
      const { endpoint, stage } = await ask({ tag: "open", fault })
      return {
        endpoint: endpoint!,
        heal: async () => void await ask({ tag: "heal", stage: stage! }),
        log: async () => (await ask({ tag: "log", stage: stage! })).log!,
        close: async () => void await ask({ tag: "close", stage: stage! })
      }
    },
    stop: () => void server.kill()
  }
}

/** What a child did. */
export interface Life {
  readonly said: ReadonlyArray<Said>
  /** Lines that the contender wrote to its standard output and error. */
  readonly lines: ReadonlyArray<string>
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** How long it lived on after it had made its spans, in seconds. */
  readonly lingered: number | undefined
}

export interface Child {
  readonly process: ChildProcess
  /** Calls back as the child says something. */
  readonly on: (listener: (said: Said) => void) => void
  readonly life: Promise<Life>
}

const longest = 120_000

export const startChild = (setup: Setup, extra?: Readonly<Record<string, string>>): Child => {
  const process_ = spawn(process.execPath, [join(compiled, "child.js"), JSON.stringify(setup)], {
    env: environment(extra),
    stdio: ["ignore", "pipe", "pipe", "pipe"]
  })
  const said: Array<Said> = []
  const listeners: Array<(said: Said) => void> = []
  let output = ""
  let rest = ""
  for (const stream of [process_.stdout, process_.stderr]) {
    stream!.setEncoding("utf8").on("data", (chunk: string) => {
      output = (output + chunk).slice(-20_000)
    })
  }
  const words = process_.stdio[3] as NodeJS.ReadableStream
  words.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n")
    rest = lines.pop()!
    for (const line of lines) {
      const word = JSON.parse(line) as Said
      said.push(word)
      for (const listener of listeners) listener(word)
    }
  })
  const timer = setTimeout(() => process_.kill("SIGKILL"), longest)
  const life = new Promise<Life>((resolve, reject) => {
    process_.on("error", reject)
    process_.on("close", (code, signal) => {
      clearTimeout(timer)
      const made = said.find((word) => word.tag === "made")
      resolve({
        said,
        lines: output.split("\n").filter((line) => line.trim() !== ""),
        code,
        signal,
        lingered: made === undefined ? undefined : now() - made.at
      })
    })
  })
  return { process: process_, on: (listener) => void listeners.push(listener), life }
}
