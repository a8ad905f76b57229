import { importTime } from "./importTime.ts"

export default importTime("effect")
