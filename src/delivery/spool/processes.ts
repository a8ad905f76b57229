/** What the system tells of processes. Only Linux tells enough to know a neighbour; elsewhere silence has to. */
import type * as Fs from "node:fs"
import { nodeBuiltin } from "../../internal/nodeBuiltin.ts"
import type { Processes } from "./owners.ts"

const attempt = (read: () => string): string | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** The processes of this machine. */
export const systemProcesses = (): Processes => {
  const fs = nodeBuiltin<typeof Fs>("fs")
  const pid = (globalThis as { process?: { readonly pid?: number } }).process?.pid ?? 0
  if (fs === undefined) {
    return { self: { pid, boot: undefined, namespace: undefined, started: undefined }, startedOf: () => undefined }
  }
  // The 22nd field; the second is a name in brackets that may hold anything.
  const startedOf = (other: number): string | undefined =>
    attempt(() => {
      const stat = fs.readFileSync(`/proc/${other}/stat`, "latin1")
      return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]!
    })
  return {
    self: {
      pid,
      boot: attempt(() => fs.readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()),
      namespace: attempt(() => fs.readlinkSync("/proc/self/ns/pid")),
      started: startedOf(pid)
    },
    startedOf
  }
}
