import * as Context from "effect/Context"
import { defaultScope } from "../model/InstrumentationScope.ts"
import * as Resource from "../model/Resource.ts"
import { blankIdentity } from "./identity.ts"
import { Span, type SpanOwner } from "./Span.ts"
import { compile, defaults } from "./SpanLimits.ts"

const nobody: SpanOwner = {
  limits: /* @__PURE__ */ compile(defaults),
  resource: Resource.empty,
  now: () => 0n,
  endOf: (_, end) => end,
  toLink: () => undefined,
  recordException() {},
  onEnd() {}
}

/** The span of programs that have no tracer: it has no ids, and every method is safe and does nothing. */
export const inertSpan: Span = /* @__PURE__ */ new Span(
  nobody,
  false,
  "",
  "internal",
  /* @__PURE__ */ Context.empty(),
  undefined,
  /* @__PURE__ */ blankIdentity(),
  defaultScope,
  0n,
  undefined
)
