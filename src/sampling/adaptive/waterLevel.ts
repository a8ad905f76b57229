/**
 * Shares a goal between keys: nobody gets more than there is of it, and what is left is shared in proportion to the
 * weights (`load ^ exponent`).
 *
 * **Details**
 *
 * `loads` are sorted, smallest first. The answer is the level θ for which `Σ min(load, θ * load ^ exponent) = goal`; a
 * key is kept with probability `min(1, θ * load ^ (exponent - 1))`. Where everything fits, θ is as far above what keeps
 * everything as the goal is above the load.
 */
export const waterLevel = (loads: ArrayLike<number>, goal: number, exponent: number): number => {
  let total = 0
  let weights = 0
  for (let i = 0; i < loads.length; i++) {
    total += loads[i]!
    weights += weightOf(loads[i]!, exponent)
  }
  const largest = loads.length === 0 ? 0 : loads[loads.length - 1]!
  if (!(largest > 0)) return goal
  if (total <= goal) return scale(largest, 1 - exponent) * goal / total
  let left = goal
  for (let i = 0; i < loads.length; i++) {
    const load = loads[i]!
    const level = left / weights
    if (level * weightOf(load, exponent) < load) return level
    left -= load
    weights -= weightOf(load, exponent)
  }
  // Reached by rounding alone.
  return scale(largest, 1 - exponent)
}

const scale = (load: number, exponent: number): number => exponent === 0.5 ? Math.sqrt(load) : load ** exponent

const weightOf = (load: number, exponent: number): number => load > 0 ? scale(load, exponent) : 0

/** What is multiplied with θ and the governor's factor to be the probability of a key with this load. */
export const shareOf = (load: number, exponent: number): number =>
  exponent === 0.5 ? 1 / Math.sqrt(load) : load ** (exponent - 1)

/**
 * The weight of the last `elapsed` seconds in an average over `memory`, after `age` seconds in all.
 *
 * **Details**
 *
 * At first a running mean, so that what is new need not grow from nothing. A silence counts as the memory at most: nobody
 * forgets who was loud before it.
 */
export const novelty = (elapsed: number, age: number, memory: number): number => {
  const decay = 1 - Math.exp(-Math.min(elapsed, memory) / memory)
  return age < memory ? Math.max(decay, elapsed / age) : decay
}
