/**
 * Whom the context is told to and taken from: the library's own options.
 */
import * as Schema from "effect/Schema"
import { isHostPattern } from "../context/outbound.ts"
import type { Kind } from "./setting.ts"
import { showData, showValue } from "./show.ts"

/** `true`, `false`, or `"edge"`. */
export type Trust = boolean | "edge"

const Trust = Schema.Literals([true, false, "edge"])

/** Whether incoming context is continued. */
export const trust: Kind<Trust, Trust> = {
  allowed: `true, false or "edge"`,
  allowedText: `true, false or "edge"`,
  unit: "",
  show: showValue,
  option: Trust,
  value: Trust,
  fromOption: (value) => value,
  parse: (raw) => raw === "edge" ? raw : raw === "true"
}

const Host = Schema.String.check(Schema.makeFilter(isHostPattern, { expected: "the name of a host" }))

const allowedHosts =
  `a list of hosts, as "api.example.com", "*.example.com", "localhost:8080", or the words "internal" ` +
  `(this machine and private networks) and "all", or "none" alone`

/** Hosts by pattern. */
export const hosts: Kind<ReadonlyArray<string>, ReadonlyArray<string>> = {
  allowed: allowedHosts,
  allowedText: allowedHosts,
  unit: "",
  show: showData,
  option: Schema.Array(Host).check(Schema.makeFilter((list) => list.length < 2 || !list.includes("none"))),
  value: Schema.Array(Host),
  fromOption: (list) => [...new Set(list.map((host) => host.toLowerCase()))].filter((host) => host !== "none"),
  parse: (raw) => raw.split(",").map((host) => host.trim()).filter(isHostPattern)
}
