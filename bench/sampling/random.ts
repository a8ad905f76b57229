/** Random numbers that are the same in every run. */

/** Uniform in [0, 1), 32 bits: the generator sfc32. */
export const seeded = (seed: number): () => number => {
  let a = 0x9e3779b9
  let b = 0x243f6a88
  let c = seed | 0
  let counter = 1
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + t | 0
    return (t >>> 0) / 0x100000000
  }
  for (let i = 0; i < 12; i++) next()
  return next
}

/** The time to the next event of a Poisson process of rate 1. */
export const exponential = (random: () => number): number => -Math.log(1 - random())
