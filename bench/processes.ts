/** The processes of a run: a receiver, and a child for each contender. Each is ended by the run that started it. */
import { type ChildProcess, fork } from "node:child_process"
import { built } from "./build.ts"
import type { ProbeAnswer } from "./probes/Probe.ts"
import type { Answer, Job, Measured } from "./protocol.ts"
import type { Received } from "./receiver.ts"

/** Telemetry of the shell must configure no contender. */
const environment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("OTEL_") && name !== "NODE_OPTIONS")
  )

const start = (module: string, args: ReadonlyArray<string>): ChildProcess =>
  fork(module, args, {
    // None of the loaders and conditions that this process runs with.
    execArgv: [],
    env: environment(),
    stdio: ["ignore", "pipe", "pipe", "ipc"]
  })

const keptOutput = 4_000

/** Reads what a process says, so that it never waits for a reader, and keeps the last of it. */
const listen = (process: ChildProcess): () => string => {
  let text = ""
  for (const stream of [process.stdout!, process.stderr!]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text = (text + chunk).slice(-keptOutput)
    })
  }
  return () => text.trim()
}

const message = <A>(process: ChildProcess, output: () => string, within: number, what: string): Promise<A> =>
  new Promise((resolve, reject) => {
    const done = (act: () => void) => {
      clearTimeout(timer)
      process.off("message", onMessage)
      process.off("exit", onExit)
      act()
    }
    const onMessage = (value: unknown) => done(() => resolve(value as A))
    const onExit = () => done(() => reject(new Error(`${what} ended early: ${output()}`)))
    const timer = setTimeout(
      () => done(() => reject(new Error(`${what} did not answer within ${within / 1000} s: ${output()}`))),
      within
    )
    process.on("message", onMessage)
    process.on("exit", onExit)
  })

/** The receiver, seen from the run. */
export interface Receiver {
  readonly endpoint: (key: string) => string
  /** What arrived under a key, once nothing more comes or `expected` spans are there. */
  readonly received: (key: string, expected: number) => Promise<Received>
  readonly stop: () => void
}

const settleMillis = 250
const settleAttempts = 20

export const startReceiver = async (): Promise<Receiver> => {
  const process = start(built.receiver, [])
  const output = listen(process)
  const { port } = await message<{ readonly port: number }>(process, output, 30_000, "the receiver")
  const base = `http://127.0.0.1:${port}`
  const ask = async (key: string): Promise<Received> => await (await fetch(`${base}/${key}`)).json() as Received
  return {
    endpoint: (key) => `${base}/${key}`,
    received: async (key, expected) => {
      let last = await ask(key)
      for (let i = 0; last.spans < expected && i < settleAttempts; i++) {
        await new Promise((resolve) => setTimeout(resolve, settleMillis))
        const next = await ask(key)
        if (next.requests === last.requests) return next
        last = next
      }
      return last
    },
    stop: () => void process.kill()
  }
}

/** A contender's process, seen from the run. */
export interface Child {
  readonly run: (job: Job) => Promise<Measured>
  /** What it wrote to its console. */
  readonly output: () => string
  readonly stop: () => void
}

/** Starts a contender's process; answers with the reason where the contender cannot be loaded. */
export const startChild = async (id: string): Promise<Child | string> => {
  const process = start(built.child, [id])
  const output = listen(process)
  const stop = () => void process.kill()
  const ready = await message<Answer>(process, output, 60_000, id)
  if (ready.tag === "unavailable") {
    stop()
    return ready.reason
  }
  return {
    output,
    stop,
    run: async (job) => {
      process.send(job)
      const answer = await message<Answer>(process, output, 180_000, id)
      if (answer.tag !== "measured") throw new Error(`${id}: ${"reason" in answer ? answer.reason : answer.tag}`)
      return answer.measured
    }
  }
}

/** A probe's process, seen from the run. */
export interface Probing {
  readonly sample: (size: number) => Promise<number>
  readonly stop: () => void
}

/** Starts a probe's process. */
export const startProbe = async (name: string): Promise<Probing> => {
  const process = start(built.probe, [name])
  const output = listen(process)
  const expect = async <T extends ProbeAnswer["tag"]>(tag: T): Promise<Extract<ProbeAnswer, { readonly tag: T }>> => {
    const answer = await message<ProbeAnswer>(process, output, 120_000, name)
    if (answer.tag !== tag) throw new Error(`${name}: ${"reason" in answer ? answer.reason : answer.tag}`)
    return answer as Extract<ProbeAnswer, { readonly tag: T }>
  }
  await expect("ready")
  return {
    sample: async (size) => {
      process.send(size)
      return (await expect("sampled")).value
    },
    stop: () => void process.kill()
  }
}
