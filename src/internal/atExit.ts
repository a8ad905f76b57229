interface Emitter {
  readonly on?: (event: "exit", listener: () => void) => unknown
  readonly off?: (event: "exit", listener: () => void) => unknown
}

/**
 * Calls `hook` when the process ends by itself, by `process.exit` or by an uncaught error; not when it is killed. What
 * `hook` does must be done when it returns. Returns the function that takes it back.
 */
export const atExit = (hook: () => void): () => void => {
  const host = (globalThis as { readonly process?: Emitter }).process
  host?.on?.("exit", hook)
  return () => void host?.off?.("exit", hook)
}
