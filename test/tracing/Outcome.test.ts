import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Exit from "effect/Exit"
import type { StatusCode } from "../../src/model/ReadableSpan.ts"
import * as Outcome from "../../src/tracing/Outcome.ts"

class Recorder implements Outcome.OutcomeTarget {
  statusCode: StatusCode = "UNSET"
  statusMessage = ""
  attributes: Record<string, unknown> = {}
  exceptions: Array<Readonly<Record<string, unknown>>> = []
  attribute(key: string, value: unknown): void {
    this.attributes[key] = value
  }
  setStatus(code: StatusCode, message = ""): void {
    this.statusCode = code
    this.statusMessage = message
  }
  addException(_time: bigint, attributes: Readonly<Record<string, unknown>>): void {
    this.exceptions.push(attributes)
  }
}

const outcome = (exit: Exit.Exit<unknown, unknown>, policy: Outcome.OutcomePolicy = {}): Recorder => {
  const recorder = new Recorder()
  Outcome.apply(recorder, exit, 1n, policy)
  return recorder
}

class OutOfStock extends Data.TaggedError("OutOfStock")<{ readonly sku: string; readonly left: number }> {}

describe("Outcome", () => {
  it("leaves a success unset", () => {
    assert.deepStrictEqual(outcome(Exit.succeed(1)), new Recorder())
  })

  it("records a tagged error with its fields and a message that is not empty", () => {
    const recorder = outcome(Exit.fail(new OutOfStock({ sku: "A1", left: 0 })))
    assert.strictEqual(recorder.statusCode, "ERROR")
    assert.strictEqual(recorder.statusMessage, "OutOfStock { sku: \"A1\", left: 0 }")
    assert.strictEqual(recorder.attributes["error.type"], "OutOfStock")
    assert.strictEqual(recorder.exceptions.length, 1)
    const exception = recorder.exceptions[0]!
    assert.strictEqual(exception["exception.type"], "OutOfStock")
    assert.strictEqual(exception["exception.message"], recorder.statusMessage)
    assert.strictEqual(exception["exception.field.sku"], "A1")
    assert.strictEqual(exception["exception.field.left"], 0)
    assert.include(exception["exception.stacktrace"] as string, "Outcome.test.ts")
  })

  it("records every failure and defect of a cause, in order", () => {
    const cause = Cause.combine(
      Cause.fail(new TypeError("first")),
      Cause.combine(Cause.die("second"), Cause.interrupt(7))
    )
    const recorder = outcome(Exit.failCause(cause))
    assert.deepStrictEqual(recorder.exceptions.map((exception) => exception["exception.message"]), ["first", "second"])
    assert.deepStrictEqual(recorder.exceptions.map((exception) => exception["exception.type"]), ["TypeError", "string"])
    assert.strictEqual(recorder.statusMessage, "first")
    assert.strictEqual(recorder.attributes["effect.fiber.interrupted"], true)
  })

  it("does not call a lost race an error, unless told", () => {
    const interrupted = Exit.interrupt(1)
    assert.strictEqual(outcome(interrupted).statusCode, "UNSET")
    assert.deepStrictEqual(outcome(interrupted).attributes, { "effect.fiber.interrupted": true })
    const told = outcome(interrupted, { interrupt: "ERROR" })
    assert.deepStrictEqual([told.statusCode, told.statusMessage], ["ERROR", "interrupted"])
  })

  it("lets the program expect failures", () => {
    const policy: Outcome.OutcomePolicy = {
      failure: (error) => error instanceof OutOfStock ? Outcome.expected : undefined
    }
    const expected = outcome(Exit.fail(new OutOfStock({ sku: "A1", left: 0 })), policy)
    assert.deepStrictEqual([expected.statusCode, expected.exceptions], ["UNSET", []])
    assert.strictEqual(outcome(Exit.fail("other"), policy).statusCode, "ERROR")
    // A defect is never expected.
    assert.strictEqual(outcome(Exit.die(new OutOfStock({ sku: "A1", left: 0 })), policy).statusCode, "ERROR")
  })

  it("lets the program judge success values", () => {
    const policy: Outcome.OutcomePolicy = {
      success: (value) =>
        (value as { status: number }).status >= 500 ? Outcome.error("HTTP 503", { retried: true }) : undefined
    }
    const failed = outcome(Exit.succeed({ status: 503 }), policy)
    assert.deepStrictEqual([failed.statusCode, failed.statusMessage, failed.attributes], ["ERROR", "HTTP 503", {
      retried: true
    }])
    assert.deepStrictEqual(outcome(Exit.succeed({ status: 200 }), policy), new Recorder())
  })

  it("survives errors that cannot be read and policies that throw", () => {
    const hostile = new Proxy({}, {
      get() {
        throw new Error("no")
      },
      ownKeys() {
        throw new Error("no")
      }
    })
    assert.strictEqual(outcome(Exit.fail(hostile)).statusCode, "ERROR")
    const throwing = outcome(Exit.succeed(1), {
      success: () => {
        throw new Error("broken policy")
      }
    })
    assert.strictEqual(throwing.statusCode, "ERROR")
    assert.include(String(throwing.attributes["effect.outcome.error"]), "broken policy")
  })

  it("names primitive failures", () => {
    for (const failure of ["text", "", 0, null, undefined, Symbol("s"), { a: 1n }, []]) {
      const recorder = outcome(Exit.fail(failure))
      assert.notStrictEqual(recorder.statusMessage, "", `message of ${String(failure)}`)
      assert.notStrictEqual(recorder.attributes["error.type"], "")
    }
  })
})
