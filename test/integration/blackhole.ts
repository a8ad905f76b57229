/**
 * An address that swallows packets: `[::1]` on a port where a stopped process listens, whose backlog is full. The kernel
 * then answers no further attempt to connect, as a router does that drops IPv6.
 */
import { type ChildProcess, spawn } from "node:child_process"
import * as net from "node:net"

const program = (port: number): string =>
  `require("net").createServer().listen({ host: "::1", port: ${port}, ipv6Only: true, backlog: 1 }, ` +
  `() => require("fs").writeSync(1, "listening"))`

const connects = (port: number, kept: Array<net.Socket>): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect({ host: "::1", port })
    kept.push(socket)
    const timer = setTimeout(() => resolve(false), 300)
    const settle = (connected: boolean) => () => {
      clearTimeout(timer)
      resolve(connected)
    }
    socket.on("connect", settle(true)).on("error", settle(true))
  })

/** Opens the hole; the answer closes it. Fails where packets still come through. */
export const open = async (port: number): Promise<() => void> => {
  const listener: ChildProcess = spawn(process.execPath, ["--eval", program(port)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {}
  })
  const sockets: Array<net.Socket> = []
  const close = (): void => {
    listener.kill("SIGKILL")
    for (const socket of sockets) socket.destroy()
  }
  await new Promise<void>((resolve, reject) => {
    listener.stdout!.once("data", () => resolve())
    listener.once("exit", () => reject(new Error("nothing listens on [::1]")))
  })
  listener.kill("SIGSTOP")
  for (let i = 0; i < 16; i++) if (!await connects(port, sockets)) return close
  close()
  throw new Error("[::1] takes every connection: no black hole on this machine")
}
