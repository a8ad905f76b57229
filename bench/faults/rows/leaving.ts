/** A process makes 100 spans and ends. */
import type { Leaving } from "../protocol.ts"
import type { Row } from "./Row.ts"

const all = ["ours", "oursSpool", "oursEffect", "otel", "effect"]

const row = (id: string, title: string, way: Leaving, rest: Partial<Row> = {}): Row => ({
  id,
  group: "leaving",
  title,
  fault: "none",
  scenario: { kind: "leave", count: 100, way },
  contenders: all,
  asks: "",
  wanted: {},
  wantedWithSpool: { all: "arrives" },
  ...rest
})

export const leavingRows: ReadonlyArray<Row> = [
  row("exit-return", "its work is done", "return", { wanted: { all: "arrives" } }),
  row("exit-call", "`process.exit`", "process.exit", { wanted: { told: true } }),
  row("exit-throw", "uncaught error", "throw", { wanted: { told: true } }),
  row("exit-reject", "unhandled rejection", "reject", { wanted: { told: true } }),
  row("exit-sigterm", "SIGTERM", "wait", {
    signal: "SIGTERM",
    contenders: ["ours", "oursSpool", "oursSignals", "oursEffect", "otel", "otelHook", "effect"],
    wantedWithSpool: {},
    wantedOf: { oursSignals: { all: "arrives" }, oursEffect: { all: "arrives" } }
  }),
  row("exit-sigkill", "SIGKILL", "wait", {
    signal: "SIGKILL",
    contenders: ["ours", "oursSpool", "oursAlways", "otel", "effect"],
    wantedWithSpool: {},
    wantedOf: { oursAlways: { all: "arrives" } }
  })
]
