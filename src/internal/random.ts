/** Random 32-bit words from the platform's cryptographic source, drawn in bulk. */
const pool = new Int32Array(2048)
let position = pool.length

/** A random signed 32-bit word. */
export const randomWord = (): number => {
  if (position === pool.length) {
    crypto.getRandomValues(pool)
    position = 0
  }
  return pool[position++]!
}
