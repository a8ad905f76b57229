import { attributesOf, bound } from "./cases.ts"
import { counter } from "./ours.ts"

const series = counter.bind(attributesOf("/orders/0/items"))

export default bound((value) => series.add(value))
