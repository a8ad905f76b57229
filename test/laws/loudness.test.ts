/**
 * Loudness: whatever a destination answers, the operator reads one line when deliveries begin to fail and one when they
 * succeed again, no more than one of each in a minute, and never a secret or a control character.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as Delivery from "../../src/delivery/Delivery.ts"
import { Transport, TransportError, type TransportResponse } from "../../src/delivery/Transport.ts"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"

const canary = "canary-4711-secret"
const noise = `\u001b[31m${canary}\r\n\u0007${"x".repeat(2_000)}\u009b`

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Answer = Schema.Struct({
  kind: Schema.Literals([
    "ok",
    "ok",
    "ok",
    "busy",
    "busy",
    "later",
    "refused",
    "wrong",
    "connect",
    "timeout",
    "tls",
    "broken"
  ]),
  /** How long it takes, in milliseconds. */
  after: between(0, 3_000)
})
const Action = Schema.Struct({
  how: Schema.Literals(["send", "sendOnce", "sendNow"]),
  senders: between(1, 3),
  /** Until the next action, in milliseconds. */
  wait: Schema.Union([between(0, 2_000), between(0, 120_000)])
})
const Program = Schema.Struct({
  answers: Schema.Array(Answer).check(Schema.isMinLength(10), Schema.isMaxLength(40)),
  actions: Schema.Array(Action).check(Schema.isMinLength(5), Schema.isMaxLength(25))
})

type Outcome = { readonly at: number; readonly kind: (typeof Answer.Type)["kind"]; readonly asked: boolean }

const statuses = { ok: 200, busy: 503, later: 429, refused: 401, wrong: 400 }

const answer = (kind: Outcome["kind"]): Effect.Effect<TransportResponse, TransportError> =>
  kind === "connect" || kind === "timeout" || kind === "tls"
    ? Effect.fail(new TransportError({ reason: kind, detail: noise }))
    : kind === "broken"
    ? Effect.fail(new TransportError({ reason: "response", detail: noise }))
    : Effect.succeed({
      status: statuses[kind],
      headers: kind === "later" ? { "retry-after": "5", server: noise } : { server: noise },
      body: new TextEncoder().encode(noise)
    })

/** When lines are due: at each change of state, or as soon as a minute has passed since one of its kind. */
const expected = (outcomes: ReadonlyArray<Outcome>) => {
  const bad: Array<number> = []
  const good: Array<number> = []
  // What is not told for that is told by the next of its kind: the last line is true in the end.
  const tell = (lines: Array<number>, at: number): boolean => {
    if (lines.length > 0 && at - lines.at(-1)! < 60_000) return false
    lines.push(at)
    return true
  }
  let isBad = false
  let isTold = false
  for (const { asked, at, kind } of outcomes) {
    if (kind === "ok") {
      if (isBad && tell(good, at)) isBad = isTold = false
    } else if (kind !== "wrong") {
      isBad = true
      // A refusal is told by who knows what was refused; who asks is told by the answer.
      if (kind === "refused" || asked || isTold) continue
      isTold = tell(bad, at)
    }
  }
  return { bad, good }
}

/** Whether answers of both kinds came at one moment to several senders: nobody says which of them is heard first. */
const isTied = (outcomes: ReadonlyArray<Outcome>): boolean =>
  outcomes.some((one, i) =>
    outcomes.slice(i + 1).some((other) => one.at === other.at && (one.kind === "ok") !== (other.kind === "ok"))
  )

describe("loudness", () => {
  it.effect.prop(
    "is one line for each change of state, within the limit, without secrets",
    [Program],
    ([{ actions, answers }]) =>
      Effect.gen(function*() {
        const clock = yield* Clock.Clock
        const now = (): number => clock.currentTimeMillisUnsafe()
        const lines: Array<{ readonly at: number; readonly line: string }> = []
        const outcomes: Array<Outcome> = []
        const script = [...answers]
        const asking = new Set<Uint8Array>()
        const transport = Transport.of({
          send: ({ body }) => {
            const { after, kind } = script.shift() ?? { after: 0, kind: "ok" as const }
            const said = Effect.suspend(() => {
              outcomes.push({ at: now(), kind, asked: asking.has(body) })
              return answer(kind)
            })
            return after === 0 ? said : Effect.andThen(Effect.sleep(after), said)
          }
        })
        const diagnostics = Diagnostics.make({ now, write: (line) => lines.push({ at: now(), line }) })
        const delivery = yield* Delivery.make({
          name: "otlp",
          headers: { authorization: Redacted.make(`Bearer ${canary}`), "x-key": canary }
        }).pipe(
          Effect.provideService(Transport, transport),
          Effect.provideService(Diagnostics.Diagnostics, diagnostics)
        )
        const errors: Array<string> = []
        for (const { how, senders, wait } of actions) {
          const body = new Uint8Array(1)
          if (how === "sendNow") asking.add(body)
          const request = { url: `https://user:${canary}@collector:4318/v1/traces`, contentType: "x/y", body }
          const send = Effect.match(delivery[how](request), {
            onFailure: (error) => void errors.push(error.message),
            onSuccess: () => {}
          })
          for (let i = 0; i < senders; i++) yield* Effect.forkChild(send)
          yield* TestClock.adjust(wait)
        }
        yield* TestClock.adjust("1 hour")

        const due = expected(outcomes)
        const isBad = (line: string) =>
          /^effect-telemetry warn: otlp: no delivery to collector:4318(?:, trying on)?: /.test(line)
        const isGood = (line: string) =>
          line.startsWith("effect-telemetry info: otlp: collector:4318 accepts data again after ")
        const times = (test: (line: string) => boolean) => lines.filter(({ line }) => test(line)).map(({ at }) => at)
        if (!isTied(outcomes)) {
          assert.deepStrictEqual(times(isBad), due.bad)
          assert.deepStrictEqual(times(isGood), due.good)
        }
        for (const told of [times(isBad), times(isGood)]) {
          assert.isTrue(told.every((at, i) => i === 0 || at - told[i - 1]! >= 60_000), told.join())
        }
        assert.strictEqual(lines.length, times(isBad).length + times(isGood).length)
        for (const { line } of lines) {
          // oxlint-disable-next-line no-control-regex
          assert.notMatch(line, /[\u0000-\u001f\u007f-\u009f]/)
          assert.isAtMost(line.length, 1024)
        }
        assert.notInclude(lines.map(({ line }) => line).join() + errors.join() + delivery.failing(), canary)
      }),
    { arbitrary: { runs: 150 } }
  )
})
