/** The members of a `tracestate` header, as OpenTelemetry JavaScript has them. */
import * as TraceState from "../model/TraceState.ts"
import type * as Api from "./api.ts"

/** A header as an immutable list of members. */
class OtelTraceState implements Api.TraceState {
  private readonly header: string
  private parsed: TraceState.TraceState | undefined

  constructor(header: string) {
    this.header = header
  }

  private get members(): TraceState.TraceState {
    return this.parsed ??= TraceState.parse(this.header) ?? TraceState.empty
  }

  get(key: string): string | undefined {
    return TraceState.get(this.members, key)
  }

  set(key: string, value: string): Api.TraceState {
    return new OtelTraceState(TraceState.toHeader(TraceState.set(this.members, key, value)))
  }

  unset(key: string): Api.TraceState {
    return new OtelTraceState(TraceState.toHeader(TraceState.remove(this.members, key)))
  }

  serialize(): string {
    return this.header
  }
}

/** `undefined` for an empty header. */
export const toOtel = (header: string): Api.TraceState | undefined =>
  header === "" ? undefined : new OtelTraceState(header)

/** The header; `""` where there is none, or no valid one. */
export const fromOtel = (state: { serialize(): string } | undefined): string =>
  state === undefined
    ? ""
    : state instanceof OtelTraceState
    ? state.serialize()
    : TraceState.normalizeHeader(state.serialize())
