/**
 * `OTEL_TRACES_SAMPLER` and its argument.
 */
import { BasicConfig } from "../sampling/basicSampler.ts"
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
  "parentbased_traceidratio",
  "jaeger_remote",
  "parentbased_jaeger_remote"
]

const numberOf = (raw: string): number => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(raw) ? Number(raw) + 0 : NaN

const isRatio = (ratio: number): boolean => ratio >= 0 && ratio <= 1

const ratioOf = ({ complain, read }: ParseContext): number => {
  const raw = read(samplerArgument)
  if (raw === undefined) return 1
  const ratio = numberOf(raw)
  if (isRatio(ratio)) return ratio
  complain({ value: showText(raw), allowed: "a number from 0 to 1" }, samplerArgument)
  return 1
}

/** As in `endpoint=http://localhost:5778/sampling,pollingIntervalMs=5000,initialSamplingRate=0.25`. */
const jaegerOf = ({ complain, read }: ParseContext): BasicConfig => {
  let endpoint: string | undefined
  let pollingInterval: number | undefined
  let initialSampler: BasicConfig | undefined
  for (const part of (read(samplerArgument) ?? "").split(",")) {
    const text = part.trim()
    if (text === "") continue
    const equals = text.indexOf("=")
    const key = equals < 0 ? text : text.slice(0, equals).trim()
    const value = equals < 0 ? "" : text.slice(equals + 1).trim()
    const refuse = (allowed: string): void => complain({ value: showText(text), allowed }, samplerArgument)
    if (key === "endpoint") {
      if (/^https?:\/\/[^/?#@]+([/?]|$)/i.test(value) && URL.canParse(value)) endpoint = value
      else refuse("endpoint= and an http or https URL without credentials")
    } else if (key === "pollingIntervalMs") {
      const millis = numberOf(value)
      if (Number.isInteger(millis) && millis >= 1_000 && millis <= 2 ** 31 - 1) pollingInterval = millis
      else refuse("pollingIntervalMs= and an integer of milliseconds from 1000 to 2147483647")
    } else if (key === "initialSamplingRate") {
      const ratio = numberOf(value)
      if (isRatio(ratio)) initialSampler = { traceIdRatio: ratio }
      else refuse("initialSamplingRate= and a number from 0 to 1")
    } else refuse("endpoint=, pollingIntervalMs= and initialSamplingRate=, separated by commas")
  }
  return {
    jaegerRemote: {
      ...endpoint === undefined ? {} : { endpoint },
      ...pollingInterval === undefined ? {} : { pollingInterval },
      ...initialSampler === undefined ? {} : { initialSampler }
    }
  }
}

/** A sampler as data; in a variable, one of the specification's names. */
export const sampler: Kind<BasicConfig, BasicConfig> = {
  allowed: `"always_on", "always_off", { traceIdRatio: 0 to 1 }, { parentBased: { root, … } } or ` +
    `{ jaegerRemote: { endpoint, … } }; for others, provide Sampling.layer`,
  allowedText: `one of ${names.map((name) => `"${name}"`).join(", ")}`,
  unit: "",
  show: showData,
  option: BasicConfig,
  value: BasicConfig,
  fromOption: (option) => option,
  parse(raw, context) {
    const name = raw.toLowerCase()
    if (name === "xray" || name === "parentbased_xray") {
      context.complain({ consequence: "is ignored, since X-Ray's central sampling is not built in" })
      return undefined
    }
    if (!names.includes(name)) {
      context.complain()
      return undefined
    }
    const isParentBased = name.startsWith("parentbased_")
    const root = isParentBased ? name.slice("parentbased_".length) : name
    const argument = context.read(samplerArgument)
    if (root.startsWith("always") && argument !== undefined) {
      context.complain({ value: showText(argument), allowed: `no argument for the sampler "${name}"` }, samplerArgument)
    }
    const config: BasicConfig = root === "traceidratio"
      ? { traceIdRatio: ratioOf(context) }
      : root === "jaeger_remote"
      ? jaegerOf(context)
      : root as "always_on" | "always_off"
    return isParentBased ? { parentBased: { root: config } } : config
  }
}
