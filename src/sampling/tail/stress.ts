/** How hard pressed a process is, and when that asks for relief. */

/** When relief begins and ends. */
export interface StressLimits {
  /** Relief begins at this level, from 0 to 100. */
  readonly activateAt: number
  /** Relief ends below this level. */
  readonly deactivateAt: number
  /** Relief lasts this long at least, in milliseconds. */
  readonly leastMillis: number
}

/** The level of memory in use: near 0 below a third, 50 at half, above 90 from three quarters on. */
const memoryLevel = (used: number): number => 0.4003 * Math.atan(6 * (used - 0.5)) + 0.5

/**
 * Whether relief is needed, with hysteresis: it begins at one level, ends below a lower one, and lasts for a while.
 *
 * **Details**
 *
 * The level is the higher of `sqrt(fill)` of the buffer and a sigmoid of the heap in use, times 100.
 */
export class Stress {
  readonly limits: StressLimits
  level = 0
  isActive = false
  #since = 0

  constructor(limits: StressLimits) {
    this.limits = limits
  }

  /** Looks again. `fill` and `memory` are fractions of what there may be. */
  update(fill: number, memory: number, now: number): void {
    this.level = 100 * Math.min(1, Math.max(Math.sqrt(Math.max(0, fill)), memoryLevel(memory)))
    if (!this.isActive) {
      if (this.level < this.limits.activateAt) return
      this.isActive = true
      this.#since = now
    } else if (this.level < this.limits.deactivateAt && now - this.#since >= this.limits.leastMillis) {
      this.isActive = false
    }
  }
}
