/** The wall clock and the event loop of a child, as a row wants them. */

let offset = 0

/** From now on the wall clock can be moved by {@link jump}. */
export const ownWallClock = (): void => {
  const Real = Date
  class Moved extends Real {
    constructor(...args: ReadonlyArray<unknown>) {
      super(...(args.length === 0 ? [Real.now() + offset] : args) as [number])
    }

    static override now(): number {
      return Real.now() + offset
    }
  }
  globalThis.Date = Moved as DateConstructor
}

export const jump = (seconds: number): void => {
  offset += seconds * 1_000
}

/** Holds the event loop without using CPU. */
export const block = (seconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1_000)
}
