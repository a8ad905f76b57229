/**
 * The cases of the W3C trace-context test suite, by the names that they have there: each header list a service may
 * receive, and what the headers it sends on must then say. The tracestate grammar is that of level 2.
 */
import { assert } from "@effect/vitest"
import * as TraceState from "../../src/model/TraceState.ts"

export type Header = readonly [name: string, value: string]

export const traceId = "12345678901234567890123456789012"
export const parentId = "1234567890123456"
const valid: Header = ["traceparent", `00-${traceId}-${parentId}-00`]

/** What a request of the service carried. */
export interface Sent {
  readonly traceId: string
  readonly parentId: string
  readonly traceFlags: number
  readonly tracestate: ReadonlyMap<string, string>
  readonly tracestateHeader: string | undefined
}

/** Reads it, all lines of it; what is sent is always valid, whatever came in. */
export const sentBy = (headers: ReadonlyArray<Header>): Sent => {
  const lines = (name: string) => headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
  const [header, ...more] = lines("traceparent")
  assert.deepStrictEqual(more, [], "one traceparent is sent")
  const traceparent = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(header ?? "")
  assert.isNotNull(traceparent, "a valid traceparent is sent")
  const [, trace, parent, flags] = traceparent as unknown as [string, string, string, string]
  assert.notStrictEqual(trace, "0".repeat(32))
  assert.notStrictEqual(parent, "0".repeat(16))
  const state = lines("tracestate")
  assert.notInclude(state, "", "no empty tracestate is sent")
  const tracestateHeader = state.length === 0 ? undefined : state.join(",")
  const members = TraceState.parse(tracestateHeader ?? "")
  assert.isDefined(members, "a valid tracestate is sent")
  return {
    traceId: trace,
    parentId: parent,
    traceFlags: parseInt(flags, 16),
    tracestate: new Map(members),
    tracestateHeader
  }
}

const continues = (sent: Sent) => {
  assert.strictEqual(sent.traceId, traceId)
  assert.notStrictEqual(sent.parentId, parentId)
}
const restarts = (sent: Sent) => assert.notStrictEqual(sent.traceId, traceId)
const has = (...members: ReadonlyArray<readonly [string, string]>) => (sent: Sent) => {
  continues(sent)
  for (const [key, value] of members) assert.strictEqual(sent.tracestate.get(key), value)
}
const discarded = (sent: Sent) => {
  continues(sent)
  assert.isUndefined(sent.tracestateHeader)
}

const parent = (value: string): ReadonlyArray<Header> => [["traceparent", value]]
const state = (...values: ReadonlyArray<string>): ReadonlyArray<Header> => [
  valid,
  ...values.map((value): Header => ["tracestate", value])
]
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => {
    const number = String(from + i).padStart(2, "0")
    return `bar${number}=${number}`
  }).join(",")

const letters = "abcdefghijklmnopqrstuvwxyz0123456789_-*/"
const characters = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i)).join("")
const allValues = characters(0x20, 0x2b) + characters(0x2d, 0x3c) + characters(0x3e, 0x7e)

export type Step = readonly [headers: ReadonlyArray<Header>, expect: (sent: Sent) => void]

/** The suite's `TraceContextTest`. */
export const cases: Readonly<Record<string, ReadonlyArray<Step>>> = {
  both_traceparent_and_tracestate_missing: [[[], restarts]],
  traceparent_included_tracestate_missing: [[parent(`00-${traceId}-${parentId}-01`), continues]],
  traceparent_duplicated: [[
    [["traceparent", `00-12345678901234567890123456789011-${parentId}-01`], valid],
    (sent) => {
      restarts(sent)
      assert.notStrictEqual(sent.traceId, "12345678901234567890123456789011")
    }
  ]],
  traceparent_header_name: [
    [[["trace-parent", valid[1]]], restarts],
    [[["trace.parent", valid[1]]], restarts]
  ],
  traceparent_header_name_valid_casing: ["TraceParent", "TrAcEpArEnT", "TRACEPARENT"].map((name): Step => [
    [[name, valid[1]]],
    continues
  ]),
  traceparent_version_0x00: [
    [parent(`00-${traceId}-${parentId}-01.`), restarts],
    [parent(`00-${traceId}-${parentId}-01-what-the-future-will-be-like`), restarts]
  ],
  traceparent_version_0xcc: [
    [parent(`cc-${traceId}-${parentId}-01`), continues],
    [parent(`cc-${traceId}-${parentId}-01-what-the-future-will-be-like`), continues],
    [parent(`cc-${traceId}-${parentId}-01.what-the-future-will-be-like`), restarts]
  ],
  traceparent_version_0xff: [[parent(`ff-${traceId}-${parentId}-01`), restarts]],
  traceparent_version_illegal_characters: [
    [parent(`.0-${traceId}-${parentId}-01`), restarts],
    [parent(`0.-${traceId}-${parentId}-01`), restarts]
  ],
  traceparent_version_too_long: [
    [parent(`000-${traceId}-${parentId}-01`), restarts],
    [parent(`0000-${traceId}-${parentId}-01`), restarts]
  ],
  traceparent_version_too_short: [[parent(`0-${traceId}-${parentId}-01`), restarts]],
  traceparent_trace_id_all_zero: [[
    parent(`00-${"0".repeat(32)}-${parentId}-01`),
    (sent) => assert.notStrictEqual(sent.traceId, "0".repeat(32))
  ]],
  traceparent_trace_id_illegal_characters: [
    [parent(`00-.2345678901234567890123456789012-${parentId}-01`), restarts],
    [parent(`00-1234567890123456789012345678901.-${parentId}-01`), restarts]
  ],
  traceparent_trace_id_too_long: [[
    parent(`00-123456789012345678901234567890123-${parentId}-01`),
    (sent) => {
      restarts(sent)
      assert.notStrictEqual(sent.traceId, "23456789012345678901234567890123")
    }
  ]],
  traceparent_trace_id_too_short: [[parent(`00-1234567890123456789012345678901-${parentId}-01`), restarts]],
  traceparent_parent_id_all_zero: [[parent(`00-${traceId}-0000000000000000-01`), restarts]],
  traceparent_parent_id_illegal_characters: [
    [parent(`00-${traceId}-.234567890123456-01`), restarts],
    [parent(`00-${traceId}-123456789012345.-01`), restarts]
  ],
  traceparent_parent_id_too_long: [[parent(`00-${traceId}-12345678901234567-01`), restarts]],
  traceparent_parent_id_too_short: [[parent(`00-${traceId}-123456789012345-01`), restarts]],
  traceparent_trace_flags_illegal_characters: [
    [parent(`00-${traceId}-${parentId}-.0`), restarts],
    [parent(`00-${traceId}-${parentId}-0.`), restarts]
  ],
  traceparent_trace_flags_too_long: [[parent(`00-${traceId}-${parentId}-001`), restarts]],
  traceparent_trace_flags_too_short: [[parent(`00-${traceId}-${parentId}-1`), restarts]],
  traceparent_ows_handling: [" ", "\t", "\t "].flatMap((blank): ReadonlyArray<Step> => [
    [parent(`${blank}${valid[1]}`), continues],
    [parent(`${valid[1]}${blank}`), continues],
    [parent(`${blank}${valid[1]}${blank}`), continues]
  ]),
  tracestate_included_traceparent_missing: ["foo=1", "foo=1,bar=2"].map((value): Step => [
    [["tracestate", value]],
    (sent) => assert.isUndefined(sent.tracestateHeader)
  ]),
  tracestate_included_traceparent_included: [[state("foo=1,bar=2"), has(["foo", "1"], ["bar", "2"])]],
  tracestate_header_name: [
    [[valid, ["trace-state", "foo=1"]], discarded],
    [[valid, ["trace.state", "foo=1"]], discarded]
  ],
  tracestate_header_name_valid_casing: ["TraceState", "TrAcEsTaTe", "TRACESTATE"].map((name): Step => [
    [valid, [name, "foo=1"]],
    has(["foo", "1"])
  ]),
  tracestate_empty_header: [
    [state(""), discarded],
    [state("foo=1", ""), has(["foo", "1"])],
    [state("", "foo=1"), has(["foo", "1"])]
  ],
  tracestate_multiple_headers_different_keys: [[
    state("foo=1,bar=2", "rojo=1,congo=2", "baz=3"),
    (sent) => {
      continues(sent)
      assert.strictEqual(sent.tracestateHeader, "foo=1,bar=2,rojo=1,congo=2,baz=3")
    }
  ]],
  tracestate_duplicated_keys: [
    [state("foo=1,foo=1"), has(["foo", "1"])],
    [state("foo=1,foo=2"), has(["foo", "1"])],
    [state("foo=1", "foo=1"), has(["foo", "1"])],
    [state("foo=1", "foo=2"), has(["foo", "1"])]
  ],
  tracestate_all_allowed_characters: [
    [state(`${letters}=${allValues}`), has([letters, allValues])],
    [state(`${letters}@a-z0-9_-*/=${allValues}`), has([`${letters}@a-z0-9_-*/`, allValues])]
  ],
  tracestate_ows_handling: [
    [state("foo=1 \t , \t bar=2, \t baz=3"), has(["foo", "1"], ["bar", "2"], ["baz", "3"])],
    [state("foo=1\t \t,\t \tbar=2,\t \tbaz=3"), has(["foo", "1"], ["bar", "2"], ["baz", "3"])],
    [state(" foo=1"), has(["foo", "1"])],
    [state("\tfoo=1"), has(["foo", "1"])],
    [state("foo=1 "), has(["foo", "1"])],
    [state("foo=1\t"), has(["foo", "1"])],
    [state("\t foo=1 \t"), has(["foo", "1"])]
  ],
  tracestate_key_illegal_characters: [
    [state("foo =1"), discarded],
    [state("FOO=1"), discarded],
    [state("foo.bar=1"), discarded]
  ],
  tracestate_key_illegal_vendor_format: [
    [state("foo@=1,bar=2"), has(["foo@", "1"], ["bar", "2"])],
    [state("@foo=1,bar=2"), discarded],
    [state("foo@@bar=1,bar=2"), has(["foo@@bar", "1"], ["bar", "2"])],
    [state("foo@bar@baz=1,bar=2"), has(["foo@bar@baz", "1"], ["bar", "2"])]
  ],
  tracestate_member_count_limit: [
    [
      state(range(1, 10), range(11, 20), range(21, 30), range(31, 32)),
      (sent) => {
        has(["bar01", "01"], ["bar32", "32"])(sent)
        assert.strictEqual(sent.tracestate.size, 32)
      }
    ],
    [state(range(1, 10), range(11, 20), range(21, 30), range(31, 33)), discarded]
  ],
  tracestate_key_length_limit: [
    [state("foo=1", `${"z".repeat(256)}=1`), has(["foo", "1"], ["z".repeat(256), "1"])],
    [state("foo=1", `${"z".repeat(257)}=1`), discarded],
    [state("foo=1", `${"t".repeat(241)}@${"v".repeat(14)}=1`), has(["foo", "1"])],
    [state("foo=1", `${"t".repeat(242)}@v=1`), has(["foo", "1"])],
    [state("foo=1", `t@${"v".repeat(15)}=1`), has(["foo", "1"])],
    [state("foo=1", `${"t".repeat(242)}@${"v".repeat(14)}=1`), discarded]
  ],
  tracestate_value_illegal_characters: [
    [state("foo=bar=baz"), discarded],
    [state("foo=,bar=3"), discarded]
  ]
}

/** The suite's `TraceContext2Test`. */
export const levelTwoCases: Readonly<Record<string, ReadonlyArray<Step>>> = {
  propagates_random_flag: ["02", "03"].map((flags): Step => [
    parent(`00-${traceId}-${parentId}-${flags}`),
    (sent) => {
      continues(sent)
      assert.strictEqual(sent.traceFlags & 2, 2)
    }
  ])
}

/** The suite's `AdvancedTest`: one request, upon which the service sends three. */
export const advancedCases: Readonly<
  Record<string, readonly [headers: ReadonlyArray<Header>, expect: (all: ReadonlyArray<Sent>) => void]>
> = {
  multiple_requests_with_valid_traceparent: [parent(`00-${traceId}-${parentId}-01`), (all) => {
    for (const sent of all) continues(sent)
    distinct(all)
  }],
  multiple_requests_without_traceparent: [[], (all) => distinct(all)],
  multiple_requests_with_illegal_traceparent: [parent(`00-${"0".repeat(32)}-${parentId}-01`), (all) => distinct(all)]
}

const distinct = (all: ReadonlyArray<Sent>) => assert.strictEqual(new Set(all.map((sent) => sent.parentId)).size, 3)
