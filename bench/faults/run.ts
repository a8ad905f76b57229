/** One contender in one row, and all of them. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { plannedName } from "../../test/integration/lookups.ts"
import { type ContenderInfo, contenderOf } from "./contenders.ts"
import type { Outcome } from "./outcome.ts"
import { outcomeOf } from "./outcome.ts"
import { type Child, type HostileServer, type Life, startChild, startServer } from "./processes.ts"
import type { Said, Setup } from "./protocol.ts"
import type { Row } from "./rows/Row.ts"

const sleep = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1_000))

const root = fileURLToPath(new URL("../../", import.meta.url))

/** What happens to a child from outside, at its time. */
const stir = (child: Child, row: Row, heal: () => Promise<void>): void => {
  const after = (seconds: number, act: () => void) => setTimeout(act, seconds * 1_000).unref()
  let begun = false
  child.on((said: Said) => {
    if (said.tag === "ended" && !begun) {
      begun = true
      if (row.heals !== undefined) after(row.heals, () => void heal())
      if (row.suspends !== undefined) {
        const [at, seconds] = row.suspends
        after(at, () => child.process.kill("SIGSTOP"))
        after(at + seconds, () => child.process.kill("SIGCONT"))
      }
    }
    if (said.tag === "made" && row.signal !== undefined) after(1, () => child.process.kill(row.signal))
  })
}

const successorLife = 3

/** Whether a line is one of our diagnostics. */
export const isOurs = (line: string): boolean => line.startsWith("effect-telemetry ")

const runOne = async (server: HostileServer, row: Row, info: ContenderInfo): Promise<Outcome> => {
  const stage = await server.open(row.fault)
  const spool = info.spool ? mkdtempSync(join(tmpdir(), "effect-telemetry-faults-")) : undefined
  try {
    const setup: Setup = {
      contender: info.module,
      endpoint: row.lookup === undefined ? stage.endpoint : stage.endpoint.replace("127.0.0.1", plannedName),
      serviceName: row.named === false ? undefined : "faults",
      headers: row.headers ?? {},
      spool,
      lookup: row.lookup,
      scenario: row.scenario
    }
    const child = startChild(setup, row.environment)
    stir(child, row, stage.heal)
    const life = await child.life
    // What is on its way still counts.
    await sleep(0.3)
    const before = await stage.log()
    let successor: Life | undefined
    if (spool !== undefined && needsSuccessor(row, life)) {
      await stage.heal()
      successor = await startChild(
        // The name of the collector is part of what a spool belongs to.
        {
          ...setup,
          lookup: row.lookup === undefined ? undefined : "found",
          scenario: { kind: "successor", life: successorLife }
        },
        row.successorEnvironment
      ).life
    }
    const outcome = outcomeOf(row, life, before, successor === undefined ? undefined : await stage.log())
    const bare = (line: string) => line.replaceAll(root, "").replaceAll(spool ?? root, "<spool>")
    const lines = outcome.lines.map(bare)
    return { ...outcome, lines: lines.filter((line, index) => index < 6 || isOurs(line)) }
  } finally {
    await stage.close()
    if (spool !== undefined) rmSync(spool, { recursive: true, force: true })
  }
}

/** Something may be on disk: the books say so, or the process left without a word. */
const needsSuccessor = (row: Row, { said }: Life): boolean => {
  const books = said.findLast((word) => word.tag === "books")
  return row.scenario.kind === "leave" || books === undefined || books.books.spooled > 0
}

/** By row, and then by contender. */
export type Outcomes = Record<string, Record<string, Outcome>>

interface Job {
  readonly row: Row
  readonly info: ContenderInfo
}

/** Runs at once. They sleep most of the time. */
const atOnce = 10

export const run = async (rows: ReadonlyArray<Row>, tell: (text: string) => void): Promise<Outcomes> => {
  const jobs = rows.flatMap((row) => row.contenders.map((id): Job => ({ row, info: contenderOf(id) })))
  const outcomes: Outcomes = Object.fromEntries(rows.map(({ id }) => [id, {}]))
  const server = startServer()
  let done = 0
  const work = async (queue: Array<Job>): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      const { info, row } = job
      try {
        outcomes[row.id]![info.id] = await runOne(server, row, info)
      } catch (error) {
        throw new Error(`${row.id}, ${info.id}: ${String(error)}`, { cause: error })
      }
      tell(`${++done} of ${jobs.length}: ${row.id}, ${info.id}`)
    }
  }
  try {
    await work(jobs.filter(({ row }) => row.alone === true))
    // The longest first, so that none runs alone at the end.
    const lengthOf = ({ row: { scenario } }: Job): number => "life" in scenario ? scenario.life : 0
    const together = jobs.filter(({ row }) => row.alone !== true).sort((a, b) => lengthOf(b) - lengthOf(a))
    await Promise.all(Array.from({ length: atOnce }, async (_, i) => {
      await sleep(i / 2)
      await work(together)
    }))
  } finally {
    server.stop()
  }
  return outcomes
}
