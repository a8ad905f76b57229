import { measure } from "./measure.ts"
import { adaptive } from "./ours.ts"
import * as R from "./rivals.ts"
import { arrivals, traffics } from "./traffic.ts"
const goal = 100
const contenders: Array<[string, () => R.Contender]> = [
  ["h=.5", () => adaptive(goal)],
  ["m=5", () => adaptive(goal, { memory: 5 })],
  ["m=20", () => adaptive(goal, { memory: 20 })],
  ["a=.7", () => adaptive(goal, { exponent: .7 })]
]
for (const [name, traffic] of Object.entries(traffics)) {
  if (name === "step" || (process.argv[2] && !process.argv[2].split(",").includes(name))) continue
  const sets = [1, 2].map((s) => arrivals(traffic, s))
  for (const [label, make] of contenders) {
    const m = sets.map((a, i) => measure(make(), a, goal, i + 1))
    const avg = (f: (x: any) => number) => m.reduce((a, x) => a + f(x), 0) / m.length
    console.log(
      name.padEnd(8),
      label.padEnd(7),
      `mean ${avg((x) => x.mean).toFixed(3)} p99 ${avg((x) => x.p99).toFixed(2)} max ${
        Math.max(...m.map((x) => x.max)).toFixed(2)
      } z ${avg((x) => x.z).toFixed(2)} bias ${avg((x) => x.bias).toFixed(3)} rare ${
        avg((x) => x.rare).toFixed(2)
      } head ${avg((x) => x.headError).toFixed(3)}`
    )
  }
}
