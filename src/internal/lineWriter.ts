/** The standard streams of the host, where it has any. */
export type StreamName = "stdout" | "stderr"

export interface Stream {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly write?: (text: string, done: () => void) => unknown
  readonly on?: (event: "error", listener: () => void) => unknown
  readonly off?: (event: "error", listener: () => void) => unknown
}

export interface Host {
  readonly platform?: string
  readonly stdout?: Stream
  readonly stderr?: Stream
}

export const hostProcess = (): Host | undefined => (globalThis as unknown as { readonly process?: Host }).process

export const stream = (name: StreamName): Stream => hostProcess()?.[name] ?? {}

/**
 * Writes lines to a stream, until the stream breaks: then `broken` is called, once, and nothing is written any more.
 *
 * A reader that goes away (`app | head`) makes a stream emit an error some time after the write. Unheard, it ends the
 * process, `console.log` or not; heard for good, it would hide the same from the program's own writes.
 */
export const lineWriter = (name: StreamName, broken: () => void): (text: string) => void => {
  const target = stream(name)
  if (target.write === undefined || target.on === undefined || target.off === undefined) {
    const { console: host } = globalThis
    return name === "stdout" ? (text) => host.log(text) : (text) => host.error(text)
  }
  let isBroken = false
  let pending = 0
  const onError = (): void => {
    if (isBroken) return
    isBroken = true
    broken()
  }
  const settled = (): void => {
    // The error comes behind the call that says the write is over.
    setImmediate(() => {
      if (--pending === 0) target.off!("error", onError)
    })
  }
  return (text) => {
    if (isBroken) return
    if (pending++ === 0) target.on!("error", onError)
    target.write!(`${text}\n`, settled)
  }
}
