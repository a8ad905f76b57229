/** Names of metrics and labels as Prometheus has them. */

const units: Readonly<Record<string, string>> = {
  d: "days",
  h: "hours",
  min: "minutes",
  s: "seconds",
  ms: "milliseconds",
  us: "microseconds",
  ns: "nanoseconds",
  By: "bytes",
  KiBy: "kibibytes",
  MiBy: "mebibytes",
  GiBy: "gibibytes",
  TiBy: "tebibytes",
  KBy: "kilobytes",
  MBy: "megabytes",
  GBy: "gigabytes",
  TBy: "terabytes",
  kBy: "kilobytes",
  m: "meters",
  V: "volts",
  A: "amperes",
  J: "joules",
  W: "watts",
  g: "grams",
  Cel: "celsius",
  Hz: "hertz",
  "%": "percent"
}

const per: Readonly<Record<string, string>> = {
  s: "second",
  m: "minute",
  min: "minute",
  h: "hour",
  d: "day",
  w: "week",
  mo: "month",
  y: "year"
}

const legal = (text: string): string => text.replace(/[^a-zA-Z0-9_:]+/g, "_")

/** The word for a unit, as in `seconds` or `bytes_per_second`; `""` where it has none. */
export const unitWord = (unit: string): string => {
  const bare = unit.replace(/\{[^}]*\}/g, "").trim()
  if (bare === "" || bare === "1") return ""
  const [above = "", below] = bare.split("/", 2).map((part) => part.trim())
  const word = above === "" || above === "1" ? "" : units[above] ?? above
  const rate = below === undefined || below === "" ? "" : `per_${per[below] ?? units[below] ?? below}`
  return legal([word, rate].filter((part) => part !== "").join("_")).replace(/^_+|_+$/g, "")
}

/** How names are made. */
export interface NameStyle {
  readonly format: "text" | "openmetrics"
  readonly escaping: "underscores" | "allow-utf-8"
  readonly suffixes: boolean
}

const sanitize = (name: string): string => {
  const safe = legal(name).replace(/_+/g, "_")
  return /^[0-9]/.test(safe) ? `_${safe}` : safe === "" ? "_" : safe
}

/** The name of a metric: with its unit, and `ratio` for a gauge of the unit `1`. A counter's `_total` comes behind it later. */
export const familyName = (name: string, unit: string, isCounter: boolean, style: NameStyle): string => {
  const wellFormed = name.toWellFormed()
  let base = style.escaping === "allow-utf-8" ? wellFormed === "" ? "_" : wellFormed : sanitize(wellFormed)
  if (!style.suffixes && style.format === "text") return base
  if (isCounter) base = base.replace(/_total$/, "")
  if (!style.suffixes) return base
  const word = unit === "1" && !isCounter ? "ratio" : unitWord(unit)
  return word === "" || base === word || base.endsWith(`_${word}`) ? base : `${base}_${word}`
}

/** The name of a label. */
export const labelName = (key: string, escaping: NameStyle["escaping"]): string => {
  const wellFormed = key.toWellFormed()
  if (escaping === "allow-utf-8") return wellFormed === "" ? "_" : wellFormed
  const safe = wellFormed.replace(/[^a-zA-Z0-9_]+/g, "_")
  // Two underscores in front are Prometheus' own.
  return /^[0-9]/.test(safe) ? `key_${safe}` : safe === "" ? "_" : safe.replace(/^__+/, "_")
}
