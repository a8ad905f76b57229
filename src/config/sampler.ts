/**
 * `OTEL_TRACES_SAMPLER` and its argument.
 */
import { SamplerConfig } from "../sampling/SamplerConfig.ts"
import type { Kind, ParseContext } from "./setting.ts"
import { showData, showText } from "./show.ts"

/** Only used where `OTEL_TRACES_SAMPLER` is set. */
export const samplerArgument = "OTEL_TRACES_SAMPLER_ARG"

const names = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio"
]

const ratioOf = ({ complain, read }: ParseContext): number => {
  const raw = read(samplerArgument)
  if (raw === undefined) return 1
  const ratio = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(raw) ? Number(raw) + 0 : NaN
  if (ratio >= 0 && ratio <= 1) return ratio
  complain({ value: showText(raw), allowed: "a number from 0 to 1" }, samplerArgument)
  return 1
}

/** A sampler as data; in a variable, one of the specification's names. */
export const sampler: Kind<SamplerConfig, SamplerConfig> = {
  allowed: `"always_on", "always_off", { traceIdRatio: 0 to 1 } or { parentBased: { root, … } }`,
  allowedText: `one of ${names.map((name) => `"${name}"`).join(", ")}`,
  unit: "",
  show: showData,
  option: SamplerConfig,
  value: SamplerConfig,
  fromOption: (option) => option,
  parse(raw, context) {
    const name = raw.toLowerCase()
    if (!names.includes(name)) {
      context.complain()
      return undefined
    }
    const isParentBased = name.startsWith("parentbased_")
    const root = isParentBased ? name.slice("parentbased_".length) : name
    const argument = context.read(samplerArgument)
    if (root !== "traceidratio" && argument !== undefined) {
      context.complain({ value: showText(argument), allowed: `no argument for the sampler "${name}"` }, samplerArgument)
    }
    const config: SamplerConfig = root === "traceidratio"
      ? { traceIdRatio: ratioOf(context) }
      : root as "always_on" | "always_off"
    return isParentBased ? { parentBased: { root: config } } : config
  }
}
