/** What the terminal can show, and tables. */

const { env, stdout } = process
const forced = !["", "0", "false"].includes(env["FORCE_COLOR"] ?? "")

export const color = env["TERM"] !== "dumb" && (env["NO_COLOR"] ?? "") === "" && (forced || stdout.isTTY === true)

const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "UTF-8"

export const unicode = env["TERM"] !== "linux" && /utf-?8/i.test(locale)

/** 60 to 120; 100 where nobody says. */
export const width = Math.min(Math.max(stdout.columns || 100, 60), 120)

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

export type Paint = keyof typeof codes | "plain"

export const paint = (how: Paint, text: string): string =>
  color && how !== "plain" && text !== "" ? `\u001b[${codes[how]}m${text}\u001b[0m` : text

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
  readonly align?: "left" | "right"
  readonly paint?: (row: Row) => Paint
}

/** A table without lines, two columns in from the left. */
export const table = <Row>(columns: ReadonlyArray<Column<Row>>, rows: ReadonlyArray<Row>): string => {
  const widths = columns.map(({ cell, title }) => Math.max(title.length, ...rows.map((row) => cell(row).length)))
  const place = (text: string, i: number): string =>
    columns[i]!.align === "left" ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)
  const line = (cells: ReadonlyArray<string>) => `  ${cells.join("  ")}`.trimEnd()
  return [
    line(columns.map(({ title }, i) => paint("dim", place(title, i)))),
    ...rows.map((row) =>
      line(columns.map(({ cell, paint: how }, i) => paint(how?.(row) ?? "plain", place(cell(row), i))))
    )
  ].join("\n")
}

export const milliseconds = (value: number): string =>
  value >= 1000
    ? `${(value / 1000).toFixed(2)} s`
    : `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ms`
