import { attributesOf, bound } from "./cases.ts"
import { histogram } from "./ours.ts"

const series = histogram.bind(attributesOf("/orders/0/items"))

export default bound((value) => series.record(value))
