/**
 * `npm run w3c:service -- --port N [--plain]`: the service that the W3C trace-context test suite calls.
 *
 * It takes `POST /test` with a JSON list of `{ url, arguments }`, and posts each `arguments` to its `url` with what the
 * library propagates. Over Effect's HTTP server and client, or, with `--plain`, over `node:http` and `fetch` with the
 * Promise facade. It listens on this machine only, and posts wherever it is told: it is for tests.
 */
import { parseArgs } from "node:util"
import { serveEffect } from "./effectService.ts"
import { servePlain } from "./plainService.ts"

const { values } = parseArgs({ options: { port: { type: "string" }, plain: { type: "boolean", default: false } } })
const port = Number(values.port ?? "5000")

await (values.plain ? servePlain : serveEffect)(port, (url) => console.log(`listening on ${url}/test`))
