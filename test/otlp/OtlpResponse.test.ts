import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as OtlpResponse from "../../src/otlp/OtlpResponse.ts"
import { Response } from "./official.ts"

const types = ["application/x-protobuf", "application/json"]
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const decode = (type: string, body: Uint8Array) => Result.getOrThrow(OtlpResponse.decodeExportResponse(type, body))

describe("ExportTraceServiceResponse", () => {
  it.prop("is read as it was written", {
    rejectedItems: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    errorMessage: Schema.String
  }, (partial) => {
    const expected = partial.rejectedItems === 0 && partial.errorMessage === ""
      ? undefined
      : { ...partial, errorMessage: partial.errorMessage.toWellFormed() }
    for (const type of types) {
      assert.deepStrictEqual(decode(type, OtlpResponse.encodeExportResponse(type, partial)), expected)
    }
  })

  it("is the one of the official message type", () => {
    const errorMessage = "bad é"
    assert.deepStrictEqual(
      [...OtlpResponse.encodeExportResponse("application/x-protobuf", { rejectedItems: 300, errorMessage })],
      [...Response.encode(Response.fromObject({ partialSuccess: { rejectedSpans: 300, errorMessage } })).finish()]
    )
  })

  it("is full success when it is empty or says nothing", () => {
    for (const type of types) {
      assert.isUndefined(decode(type, new Uint8Array(0)))
      assert.isUndefined(decode(type, OtlpResponse.encodeExportResponse(type)))
    }
    assert.isUndefined(decode("text/plain", new Uint8Array(0)))
    assert.isUndefined(decode("application/json", bytes(" \r\n")))
    for (const body of ["{}", "{\"partialSuccess\":{}}", "{\"partialSuccess\":null}", "{\"other\":1}"]) {
      assert.isUndefined(decode("application/json; charset=utf-8", bytes(body)))
    }
    assert.isUndefined(decode("application/x-protobuf", Uint8Array.of(0x0a, 0)))
  })

  it("takes the count as a number or as text, and never below zero", () => {
    for (const count of ["7", "\"7\""]) {
      assert.deepStrictEqual(
        decode("application/json", bytes(`{"partialSuccess":{"rejectedSpans":${count}}}`)),
        { rejectedItems: 7, errorMessage: "" }
      )
    }
    assert.isUndefined(decode("application/json", bytes("{\"partialSuccess\":{\"rejectedSpans\":-3}}")))
    const negative = Uint8Array.of(0x0a, 11, 0x08, ...new Array<number>(9).fill(0xff), 0x01)
    assert.isUndefined(decode("application/x-protobuf", negative))
  })

  it("calls what was rejected as the signal does, and reads no other name", () => {
    const partial = { rejectedItems: 7, errorMessage: "" }
    const names = { traces: "rejectedSpans", logs: "rejectedLogRecords", metrics: "rejectedDataPoints" } as const
    for (const signal of ["traces", "logs", "metrics"] as const) {
      const body = bytes(`{"partialSuccess":{"${names[signal]}":"7"}}`)
      for (const other of ["traces", "logs", "metrics"] as const) {
        const read = Result.getOrThrow(OtlpResponse.decodeExportResponse("application/json", body, other))
        assert.deepStrictEqual(read, other === signal ? partial : undefined)
      }
      for (const type of ["application/json", "application/x-protobuf"]) {
        const written = OtlpResponse.encodeExportResponse(type, partial, signal)
        assert.deepStrictEqual(Result.getOrThrow(OtlpResponse.decodeExportResponse(type, written, signal)), partial)
      }
    }
  })

  it("fails for a body that is none", () => {
    for (
      const [type, body] of [
        ["application/json", bytes("<html>")],
        ["application/json", bytes("[]")],
        ["application/json", bytes("3")],
        ["application/json", bytes("{\"partialSuccess\":{\"rejectedSpans\":\"x\"}}")],
        ["application/x-protobuf", bytes("<html>")],
        ["text/html", bytes("<html>")],
        ["", bytes("x")]
      ] as const
    ) {
      const result = OtlpResponse.decodeExportResponse(type, body)
      assert.isTrue(Result.isFailure(result), type)
      if (Result.isFailure(result)) assert.notInclude(result.failure.message, "<html>")
    }
  })
})

describe("google.rpc.Status", () => {
  it.prop("is read as it was written", {
    code: Schema.Int.check(Schema.isBetween({ minimum: -(2 ** 31), maximum: 2 ** 31 - 1 })),
    message: Schema.String
  }, (status) => {
    for (const type of types) {
      const body = OtlpResponse.encodeStatus(type, status)
      const message = status.message.toWellFormed()
      assert.deepStrictEqual(Result.getOrThrow(OtlpResponse.decodeStatus(type, body)), { ...status, message })
      assert.strictEqual(OtlpResponse.decodeStatusMessage(type, body), message === "" ? undefined : message)
    }
  })

  it("skips details, and has no message where there is nothing to read", () => {
    assert.strictEqual(
      OtlpResponse.decodeStatusMessage(
        "application/json",
        bytes("{\"message\":\"no\",\"details\":[{\"@type\":\"x\"}]}")
      ),
      "no"
    )
    assert.strictEqual(
      OtlpResponse.decodeStatusMessage("application/x-protobuf", Uint8Array.of(0x1a, 1, 0, 0x12, 2, 0x6e, 0x6f)),
      "no"
    )
    for (const type of [...types, "text/html", ""]) {
      assert.isUndefined(OtlpResponse.decodeStatusMessage(type, new Uint8Array(0)))
      assert.isUndefined(OtlpResponse.decodeStatusMessage(type, bytes("<html>")))
    }
  })
})
