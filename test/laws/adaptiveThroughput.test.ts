/** How much samplers that learn keep: as much as they were asked to, whatever the traffic, and what is rare first. */
import { assert, describe, it } from "@effect/vitest"
import { measure, type Measures } from "../../bench/sampling/measure.ts"
import { adaptive, rateLimit } from "../../bench/sampling/ours.ts"
import { type Contender, emaThroughput, windowedThroughput } from "../../bench/sampling/rivals.ts"
import { seeded } from "../../bench/sampling/random.ts"
import { type Arrivals, arrivals, type Traffic, traffics } from "../../bench/sampling/traffic.ts"
import * as Grid from "../../src/sampling/adaptive/grid.ts"
import { defaults, KeyedRates } from "../../src/sampling/adaptive/keyedRates.ts"

const goal = 100

const drawn = new Map<string, Arrivals>()

/** Under a traffic of the table, or something like it. `as` names what is not in the table. */
const run = (
  make: () => Contender,
  traffic: Partial<Traffic> & { readonly name: string; readonly as?: string },
  seed = 1
): Measures => {
  const name = `${traffic.as ?? traffic.name} ${traffic.seconds} ${seed}`
  let given = drawn.get(name)
  if (given === undefined) {
    given = arrivals({ seconds: 120, ...traffics[traffic.name]!, ...traffic }, seed)
    drawn.set(name, given)
  }
  return measure(make(), given, goal, seed)
}

const contenders = { adaptive: () => adaptive(goal), "rate limit": () => rateLimit(goal) }

describe("the goal is kept", () => {
  for (const [name, make] of Object.entries(contenders)) {
    it(`${name}: steady, in bursts, on a ramp, through a day, under churn, for every distribution of keys`, () => {
      for (const traffic of ["steady", "burst", "ramp", "diurnal", "churn", "zipf8", "zipf11", "zipf15"]) {
        const { max, mean } = run(make, { name: traffic })
        assert.isBelow(Math.abs(mean - 1), 0.02, traffic)
        assert.isBelow(max, 1.6, traffic)
      }
    })

    it(`${name}: never more than twice the goal in a second, however sudden it comes`, () => {
      assert.isBelow(run(make, { name: "onOff" }).max, 2.1)
      assert.isBelow(run(make, { name: "step", as: "idle", rate: (t) => t < 60 ? 0.5 : 20_000, seconds: 70 }).max, 2.1)
    })

    it(`${name}: 2 seconds after a step it is where it should be, within 20 %`, () => {
      for (const factor of [10, 0.1]) {
        const runs = [1, 2, 3, 4, 5].map((seed) =>
          run(make, { name: "step", rate: (t) => t < 40 ? 5_000 : 5_000 * factor, seconds: 60 }, seed).perSecond
        )
        const at = (second: number): number => runs.reduce((sum, perSecond) => sum + perSecond[second]!, 0) / 5
        for (let second = 42; second < 60; second++) {
          assert.isBelow(Math.abs(at(second) - 1), 0.2, `${factor} ${second}`)
        }
      }
    })

    it(`${name}: everything, where less than the goal arrives`, () => {
      assert.isAbove(run(make, { name: "steady", as: "little", rate: () => 60 }).mean, 0.59)
    })
  }

  it("adaptive: nine of ten seconds within 20 %, where every key comes as often as it likes each second", () => {
    for (const perSecond of [50, 500]) {
      for (const keys of [10, 200]) {
        const random = seeded(perSecond + keys)
        const rates = new KeyedRates({ ...defaults, goal: perSecond }, 0)
        let within = 0
        let total = 0
        for (let second = 0; second < 110; second++) {
          const counts = Array.from({ length: keys }, () => Math.floor(random() * 40 * perSecond / keys))
          let handedOut = 0
          for (let millis = 0; millis < 1_000; millis++) {
            for (const [key, count] of counts.entries()) {
              const due = Math.floor((millis + 1) * count / 1_000) - Math.floor(millis * count / 1_000)
              for (let i = 0; i < due; i++) {
                rates.decide(`key ${key}`, second * 1_000 + millis)
                handedOut += Grid.probabilityOf(rates.index)
              }
            }
          }
          if (second < 10) continue
          total += handedOut
          if (Math.abs(handedOut / perSecond - 1) < 0.2) within++
        }
        assert.isAtLeast(within, 90, `${perSecond} ${keys}`)
        assert.isBelow(Math.abs(total / (100 * perSecond) - 1), 0.02)
      }
    }
  })

  it("adaptive: more keys than places are no way around it", () => {
    const flood: Parameters<typeof run>[1] = {
      name: "churn",
      as: "flood",
      churn: 3_000,
      seconds: 60
    }
    assert.isBelow(run(contenders.adaptive, flood).mean, 1.05)
    assert.isAbove(run(() => emaThroughput(goal), flood).mean, 2)
  })

  it("others exceed it under the same traffic", () => {
    assert.isAbove(run(() => emaThroughput(goal), { name: "burst" }).max, 5)
    assert.isAbove(run(() => windowedThroughput(goal), { name: "burst" }).max, 5)
  })
})

describe("what is handed out stays within its bound", () => {
  it("in every window, however the traffic is made to exceed it", () => {
    const options = { ...defaults, goal }
    const rates = new KeyedRates(options, 0)
    const random = seeded(11)
    // Expected traces, per 10 milliseconds.
    const steps = new Float64Array(6_000)
    let key = 0
    for (let step = 0; step < steps.length; step++) {
      // Silence, floods of one key, floods of new ones, of recurring ones, of all of them.
      const mood = Math.floor(step / 50) % 6
      const count = mood === 0 ? 0 : Math.floor(1_000 * random() ** 4)
      for (let i = 0; i < count; i++) {
        const name = mood === 1 ? "one" : mood === 2 ? `new ${key++}` : `key ${Math.floor(10 ** mood * random())}`
        rates.decide(name, 10 * step)
        steps[step]! += Grid.probabilityOf(rates.index)
      }
    }
    const burst = defaults.burst * (1.2 + defaults.rareShare + defaults.newShare)
    for (const width of [1, 10, 50, 100, 500, 3_000]) {
      let sum = 0
      let most = 0
      for (let step = 0; step < steps.length; step++) {
        sum += steps[step]! - (step >= width ? steps[step - width]! : 0)
        most = Math.max(most, sum)
      }
      assert.isAtMost(most, goal * (width / 100 + burst) * 1.01, `${width}`)
      if (width <= 50) assert.isAbove(most, goal * (width / 100 + burst) * 0.5)
    }
  })
})

describe("what is rare is kept", () => {
  it("nine of ten traces of keys that come once a minute", () => {
    for (const traffic of ["steady", "burst", "zipf8", "zipf15"]) {
      assert.isAbove(run(contenders.adaptive, { name: traffic, seconds: 300 }).rare, 0.9, traffic)
    }
    assert.isBelow(run(contenders["rate limit"], { name: "steady", seconds: 300 }).rare, 0.2)
  })

  it("three of four also where 50 new keys come each second", () => {
    assert.isAbove(run(contenders.adaptive, { name: "churn", seconds: 300 }).rare, 0.75)
  })

  it("no frequent key starves in ten minutes", () => {
    const traffic = arrivals({ ...traffics["burst"]!, rate: (t) => traffics["burst"]!.rate(t) / 4, seconds: 600 }, 3)
    const sampler = adaptive(goal / 4)
    const last = new Float64Array(traffic.frequent)
    let longest = 0
    traffic.times.forEach((time, i) => {
      const key = traffic.keyOf[i]!
      const p = sampler.rate(traffic.keys[key]!, time, 0)
      if (key >= traffic.frequent) return
      // What would be kept of it, on average, in each second since the start.
      last[key]! += p
    })
    longest = Math.min(...last)
    // One in 20 seconds at least: the least frequent of 200 keys comes once in 2.
    assert.isAbove(longest, 30)
  })
})
