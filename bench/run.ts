/** One run: starts everyone, then takes turns, so that whatever else the machine does meets all alike. */
import type { ContenderInfo } from "./contenders/contenders.ts"
import { burstSpans, type Mode, pacedSpansPerSecond } from "./modes.ts"
import { type Child, type Receiver, startChild, startReceiver } from "./processes.ts"
import type { Load, Setup } from "./programs/Load.ts"
import { spansPerRequest } from "./programs/attributes.ts"
import type { Measured } from "./protocol.ts"
import type { Received } from "./receiver.ts"

/** One phase of one contender, and what arrived of it. */
export interface Sample extends Measured {
  readonly received: Received
  /** The same phase under the contender's baseline, run right before it; steady phases of those that have one. */
  readonly baseline: Measured | undefined
}

/** The samples of a contender, by phase; round `n` of one contender ran beside round `n` of every other. */
export interface Samples {
  readonly info: ContenderInfo
  readonly calls: Array<Sample>
  readonly prebuilt: Array<Sample>
  readonly paced: Array<Sample>
  readonly burst: Array<Sample>
}

export interface Run {
  readonly samples: ReadonlyArray<Samples>
  /** Contenders that could not be loaded, with the reason. */
  readonly skipped: ReadonlyArray<{ readonly info: ContenderInfo; readonly reason: string }>
}

interface Phase {
  readonly name: Load["kind"]
  readonly load: Load
  readonly settings: Setup["settings"]
  readonly sampleLoop: boolean
  readonly kept: boolean
  /** Whether it is the CPU of a running service that counts. */
  readonly isSteady: boolean
}

const phasesOf = (mode: Mode): ReadonlyArray<Phase> => {
  const steady = (name: "calls" | "prebuilt", kept: boolean): Phase => ({
    name,
    load: { kind: name, requests: mode.requests, millis: 0 },
    settings: "delivering",
    sampleLoop: false,
    kept,
    isSteady: true
  })
  const times = (count: number, phase: Phase) => Array.from({ length: count }, () => phase)
  const paced: Phase = {
    name: "paced",
    load: {
      kind: "paced",
      requests: Math.round(pacedSpansPerSecond * mode.pacedMillis / 1000 / spansPerRequest),
      millis: mode.pacedMillis
    },
    settings: "defaults",
    sampleLoop: true,
    kept: true,
    isSteady: false
  }
  const burst: Phase = {
    name: "burst",
    load: { kind: "burst", requests: burstSpans / spansPerRequest, millis: 0 },
    settings: "defaults",
    sampleLoop: true,
    kept: true,
    isSteady: false
  }
  return [
    ...times(mode.rounds, steady("calls", true)),
    ...(mode.prebuilt ? [steady("prebuilt", false), ...times(mode.rounds, steady("prebuilt", true))] : []),
    ...times(mode.pacedRounds, paced),
    burst
  ]
}

const startAll = async (infos: ReadonlyArray<ContenderInfo>) => {
  const children: Array<{ readonly info: ContenderInfo; readonly child: Child }> = []
  const skipped: Array<{ readonly info: ContenderInfo; readonly reason: string }> = []
  const started = await Promise.all(infos.map(async (info) => ({ info, child: await startChild(info.id) })))
  for (const { child, info } of started) {
    if (typeof child === "string") skipped.push({ info, reason: child })
    else children.push({ info, child })
  }
  return { children, skipped }
}

// An engine that idles for some eight seconds collects, and drops compiled code as it does: nobody waits that long.
const turnMillis = 450

const warmUp = async (
  mode: Mode,
  receiver: Receiver,
  children: ReadonlyArray<{ readonly info: ContenderInfo; readonly child: Child }>,
  tell: (text: string) => void
): Promise<void> => {
  const load: Load = { kind: "calls", requests: mode.requests, millis: 0 }
  const turns = Math.ceil(mode.warmupMillis / turnMillis)
  for (let turn = 0; turn < turns; turn++) {
    tell(`warming up: turn ${turn + 1} of ${turns}`)
    for (const { child, info } of children) {
      const until = performance.now() + turnMillis
      for (let round = 0; performance.now() < until; round++) {
        const endpoint = receiver.endpoint(`${info.id}.warmup.${turn}.${round}`)
        await child.run({ endpoint, settings: "delivering", load, sampleLoop: false })
      }
    }
  }
}

// A process that sat idle while the others had their turns has cold caches, as a busy service never has: a short phase
// that nobody counts comes first.
const runUp = 5

const measure = async (child: Child, phase: Phase, receiver: Receiver, key: string): Promise<Measured> => {
  const { load, sampleLoop, settings } = phase
  if (phase.isSteady) {
    const short = { ...load, requests: Math.ceil(load.requests / runUp) }
    await child.run({ endpoint: receiver.endpoint(`${key}.runup`), settings, load: short, sampleLoop })
  }
  return child.run({ endpoint: receiver.endpoint(key), settings, load, sampleLoop })
}

const generation = async (
  mode: Mode,
  number: number,
  receiver: Receiver,
  samples: ReadonlyMap<string, Samples>,
  tell: (text: string) => void
): Promise<Run["skipped"]> => {
  const { children, skipped } = await startAll([...samples.values()].map(({ info }) => info))
  try {
    const phases = phasesOf(mode)
    await warmUp(mode, receiver, children, tell)
    for (const [round, phase] of phases.entries()) {
      tell(`generation ${number + 1} of ${mode.generations}, round ${round + 1} of ${phases.length}: ${phase.name}`)
      for (const position of children.keys()) {
        const { child, info } = children[(position + round) % children.length]!
        if (phase.name === "prebuilt" && info.program !== "effect") continue
        const key = `${info.id}.${number}.${round}`
        const under = phase.isSteady ? children.find((other) => other.info.id === info.baseline) : undefined
        const baseline = under === undefined
          ? undefined
          : await measure(under.child, phase, receiver, `${key}.baseline`)
        const measured = await measure(child, phase, receiver, key)
        const received = await receiver.received(key, info.exports ? measured.spans : 0)
        if (received.errors.length > 0) throw new Error(`${info.id}: ${received.errors[0]}`)
        if (phase.kept) samples.get(info.id)![phase.name].push({ ...measured, received, baseline })
      }
    }
  } finally {
    for (const { child } of children) child.stop()
  }
  return skipped
}

/** Runs all of `infos` in `mode`, and tells how far it is. */
export const run = async (
  infos: ReadonlyArray<ContenderInfo>,
  mode: Mode,
  tell: (text: string) => void
): Promise<Run> => {
  const samples = new Map<string, Samples>(
    infos.map((info) => [info.id, { info, calls: [], prebuilt: [], paced: [], burst: [] }])
  )
  let skipped: Run["skipped"] = []
  const receiver = await startReceiver()
  try {
    for (let number = 0; number < mode.generations; number++) {
      skipped = await generation(mode, number, receiver, samples, tell)
    }
  } finally {
    receiver.stop()
  }
  const without = new Set(skipped.map(({ info }) => info.id))
  return { samples: [...samples.values()].filter(({ info }) => !without.has(info.id)), skipped }
}
