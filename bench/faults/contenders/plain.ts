import type { Contender } from "./Contender.ts"

/** A program without a frame: it starts telemetry, does its work, and ends when nothing is left to do. */
export const plainMain = (start: Contender["start"], hook?: () => void): Contender["main"] => (setup, body) => {
  void start(setup).then((running) => {
    hook?.()
    return body(running.span)
  })
}
