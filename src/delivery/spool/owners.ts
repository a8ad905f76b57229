/**
 * Who owns which folder of a spool. Each process writes into a folder of its own; what a process left behind that is no
 * more is taken over by exactly one other, by the rename of its folder.
 *
 * A folder is called by the random id of who made it, and `<id>~<owner>` once somebody else took it over. An owner is
 * alive as long as it touches the file `alive` in the folder of its own id.
 */
import { type Disk, isAbsent } from "./disk.ts"

/** How often an owner says that it is alive, in milliseconds. */
export const heartbeat = 10_000
/** How long an owner may be silent of which nothing else is known. */
export const patience = 60_000

/** The file by which an owner says that it is alive. */
export const aliveName = "alive"
const ownerName = "owner"
/** How the name of a folder ends that is being made. */
const unbornEnd = ".new"
/** The folder beside those of the processes that holds copies of what was refused. */
export const rejectedName = "rejected"
const maxOwnerBytes = 4_096

/** What tells one process from every other on the same machine, as far as the system tells. */
export interface ProcessIdentity {
  readonly pid: number
  /** The machine since its last start; `undefined` where that is not known. */
  readonly boot: string | undefined
  /** The process ids that `pid` is one of; containers have their own. */
  readonly namespace: string | undefined
  /** When the process started, in the system's own count: a pid is given to another process later. */
  readonly started: string | undefined
}

/** What is asked about other processes. */
export interface Processes {
  readonly self: ProcessIdentity
  /** When the process of a pid started, `undefined` when there is none. */
  readonly startedOf: (pid: number) => string | undefined
}

/** The folder of this process. */
export interface Ownership {
  readonly folder: string
  /**
   * Says that this process is alive. Where its folder was deleted (`gone`) or taken over (`taken`), there is a new one
   * afterwards, and what was in the old one is this process's no more.
   */
  readonly beat: () => "kept" | "gone" | "taken"
  /** Takes over every folder whose owner is gone, and returns their paths. Called once in every {@link heartbeat}. */
  readonly adopt: () => ReadonlyArray<string>
  /** Gives a folder up: it is removed if nothing is left in it, or else free to be taken over. */
  readonly leave: (folder: string) => void
}

/** What was seen of the sign of life of an owner. */
interface Look {
  readonly modified: number
  /** How often it was looked at since, and was the same. */
  readonly times: number
}

/**
 * The folder of this process in `base`, which is made by the first `beat` that the disk lets pass. That one throws what
 * the disk says, and what `secure` throws, which is called before anything is made in `base`.
 *
 * **Details**
 *
 * The folder gets its name only when its owner and its sign of life are in it, so that nobody sees it without.
 *
 * An owner of which nothing else is known is gone when its sign of life is older than {@link patience}: by the disk's clock
 * in the first look of all, and then by the number of looks that found it unchanged. A clock that jumps,
 * or a machine that slept, thus deceives nobody who was awake before.
 */
export const claim = (
  disk: Disk,
  base: string,
  id: string,
  processes: Processes,
  secure: () => void = () => disk.makeDirectory(base)
): Ownership => {
  const folder = disk.join(base, id)
  const unborn = disk.join(base, `${id}${unbornEnd}`)
  const clear = (path: string): void => {
    for (const name of [aliveName, ownerName]) {
      try {
        disk.remove(disk.join(path, name))
      } catch {
        // It was not there.
      }
    }
    try {
      disk.removeDirectory(path)
    } catch {
      // It was not there, or something is left in it.
    }
  }
  const settle = (): void => {
    secure()
    // What an attempt left that failed half way.
    clear(unborn)
    try {
      disk.makeDirectory(unborn)
      const file = disk.create(disk.join(unborn, ownerName))
      try {
        file.write([new TextEncoder().encode(JSON.stringify(processes.self))])
      } finally {
        file.close()
      }
      disk.touch(disk.join(unborn, aliveName))
      disk.rename(unborn, folder)
    } catch (error) {
      clear(unborn)
      throw error
    }
  }

  const alive = disk.join(folder, aliveName)

  const beat: Ownership["beat"] = () => {
    try {
      disk.stat(alive)
    } catch (error) {
      if (!isAbsent(error)) throw error
      const names = namesIn(disk, base)
      if (names.includes(id)) {
        disk.touch(alive)
        return "kept"
      }
      settle()
      return names.some((name) => name.startsWith(`${id}~`)) ? "taken" : "gone"
    }
    disk.touch(alive)
    return "kept"
  }

  /** What the last look found; there was none before the first. */
  let looks: ReadonlyMap<string, Look> | undefined = undefined

  /** How many heartbeats an owner has been silent; `Infinity` where there is no sign of life. */
  const silenceOf = (owner: string, now: number, byClock: boolean, seen: Map<string, Look>): number => {
    const home = disk.join(base, owner)
    let modified: number
    try {
      modified = disk.stat(disk.join(home, aliveName)).modified
    } catch (error) {
      // Left half removed, or its owner's own was taken over before it. One that is only being made is not old yet.
      if (!isAbsent(error)) return 0
      if (!owner.endsWith(unbornEnd)) return Infinity
      modified = disk.stat(home).modified
    }
    const before = looks?.get(owner)
    const times = before?.modified === modified ? before.times + 1 : 0
    seen.set(owner, { modified, times })
    return looks === undefined && byClock ? (now - modified) / heartbeat : times
  }

  const isGone = (owner: string, now: number, seen: Map<string, Look>): boolean => {
    const known = readOwner(disk, disk.join(base, owner, ownerName))
    const { self } = processes
    const isNeighbour = known !== undefined && self.boot !== undefined && self.namespace !== undefined &&
      known.boot === self.boot && known.namespace === self.namespace && known.started !== undefined
    if (isNeighbour && processes.startedOf(known.pid) !== known.started) return true
    // That a neighbour lives is known, but not whether the worker thread does that the folder is of.
    return silenceOf(owner, now, !isNeighbour, seen) > (isNeighbour ? 5 : 1) * patience / heartbeat
  }

  const adopt = (): ReadonlyArray<string> => {
    disk.touch(alive)
    // By the disk's own clock, so that no two clocks are compared.
    const now = disk.stat(alive).modified
    const seen = new Map<string, Look>()
    const gone = new Map<string, boolean>()
    const adopted: Array<string> = []
    for (const name of disk.list(base)) {
      const [, made, other, end] = /^([0-9a-z]+)(?:~([0-9a-z]+)|(\.new))?$/.exec(name) ?? []
      const owner = other ?? `${made}${end ?? ""}`
      if (made === undefined || made === rejectedName || owner === id || name === `${id}${unbornEnd}`) continue
      try {
        if (disk.stat(disk.join(base, name)).kind !== "directory") continue
        const verdict = gone.get(owner) ?? isGone(owner, now, seen)
        gone.set(owner, verdict)
        if (!verdict) continue
        const target = disk.join(base, `${made}~${id}`)
        disk.rename(disk.join(base, name), target)
        adopted.push(target)
      } catch {
        // Somebody else was faster, or the folder cannot be moved: nothing is lost by leaving it.
      }
    }
    looks = seen
    return adopted
  }

  return { folder, beat, adopt, leave: clear }
}

/** {@link claim}, with the folder made. Throws what the first `beat` throws. */
export const own = (...options: Parameters<typeof claim>): Ownership => {
  const ownership = claim(...options)
  ownership.beat()
  return ownership
}

const namesIn = (disk: Disk, directory: string): ReadonlyArray<string> => {
  try {
    return disk.list(directory)
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

const readOwner = (disk: Disk, path: string): ProcessIdentity | undefined => {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(disk.read(path, maxOwnerBytes)))
    if (typeof parsed !== "object" || parsed === null) return undefined
    const { boot, namespace, pid, started } = parsed as Record<string, unknown>
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined
    const text = (value: unknown): string | undefined => typeof value === "string" ? value : undefined
    return { pid, boot: text(boot), namespace: text(namespace), started: text(started) }
  } catch {
    return undefined
  }
}
