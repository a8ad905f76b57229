/**
 * A hop that knows the first level of W3C Trace Context only: it passes on ids and the sampled flag, and neither the
 * random flag nor the tracestate. Its one argument is where it passes requests on to.
 */
import { Agent, createServer, get } from "node:http"
import type { AddressInfo } from "node:net"

const next = process.argv[2]!
const agent = new Agent({ keepAlive: true })

const server = createServer((request, response) => {
  const traceparent = String(request.headers["traceparent"])
  const sampled = Number.parseInt(traceparent.slice(-2), 16) & 1
  const headers = { traceparent: `${traceparent.slice(0, -2)}0${sampled}` }
  get(next, { agent, headers }, (answer) => {
    answer.resume().on("end", () => response.writeHead(answer.statusCode ?? 500).end())
  }).on("error", (error) => response.writeHead(502).end(String(error)))
})
server.listen(
  0,
  "127.0.0.1",
  () => console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
)
