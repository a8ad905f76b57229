/**
 * Buffers that encoders fill over and over. Memory outside the JavaScript heap counts towards the next full collection,
 * which costs in proportion to the whole heap of the program: buffers made anew for each batch would bring it about.
 */

interface NodeBuffer {
  readonly prototype: {
    readonly utf8Write?: (this: Uint8Array, text: string, offset: number, length: number) => number
  }
  readonly allocUnsafeSlow: (size: number) => Uint8Array
  readonly byteLength: (text: string) => number
}

const nodeBuffer = (): NodeBuffer | undefined => {
  const candidate = (globalThis as unknown as { readonly Buffer?: NodeBuffer }).Buffer
  return typeof candidate?.prototype.utf8Write === "function" ? candidate : undefined
}

/** Node's `Buffer`, where there is one. */
export const native = /* @__PURE__ */ nodeBuffer()

/** A buffer whose contents are unspecified. */
export const allocate = (size: number): Uint8Array =>
  native === undefined ? new Uint8Array(size) : native.allocUnsafeSlow(size)

/** `size` bytes whose contents are unspecified, in `reuse` when it has as many. */
export const room = (size: number, reuse: Uint8Array | undefined): Uint8Array =>
  reuse !== undefined && reuse.length >= size ? reuse.subarray(0, size) : allocate(size)

/** All of `parts`, one behind the other, in new memory. */
export const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  let size = 0
  for (const part of parts) size += part.length
  const bytes = allocate(size)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Bytes of a chunk: several make a batch, so that little of the last one stays unused. */
export const chunkSize = 16_384

// 2 MiB: what some twenty batches in flight need. More than that came from a burst, and goes back to the engine.
const maxSpare = 128

const spare: Array<Uint8Array> = []

/** A chunk whose contents are unspecified. */
export const takeChunk = (): Uint8Array => spare.pop() ?? allocate(chunkSize)

/** Takes back a chunk that nobody reads or writes any more. Buffers of another size are left to the engine. */
export const giveChunk = (chunk: Uint8Array): void => {
  if (chunk.length === chunkSize && spare.length < maxSpare) spare.push(chunk)
}
