/** Span contexts of both kinds: the tracestate is a header here, and a list of members there. */
import { isValid, type SpanContext } from "../model/SpanContext.ts"
import type * as Api from "./api.ts"
import * as otelTraceState from "./otelTraceState.ts"

/** `isRemote` is left out where it is not known. */
export const toOtel = (
  of: Omit<SpanContext, "isRemote"> & { readonly isRemote?: boolean | undefined }
): Api.SpanContext => {
  const { isRemote, spanId, traceFlags, traceId } = of
  const traceState = otelTraceState.toOtel(of.traceState)
  return {
    traceId,
    spanId,
    traceFlags,
    ...isRemote === undefined ? {} : { isRemote },
    ...traceState === undefined ? {} : { traceState }
  }
}

/** `undefined` for the invalid context, which stands for none. */
export const fromOtel = (context: Api.SpanContext | undefined): SpanContext | undefined =>
  context === undefined || !isValid(context) ? undefined : {
    traceId: context.traceId,
    spanId: context.spanId,
    traceFlags: context.traceFlags,
    traceState: otelTraceState.fromOtel(context.traceState),
    isRemote: context.isRemote === true
  }
