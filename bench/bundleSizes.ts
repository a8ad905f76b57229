/** What a program that only sends traces weighs, and the same with Effect's own tracer. */
import { bundle } from "../scripts/lib/bundle.ts"
import { pack } from "../scripts/lib/pack.ts"
import type { Sampled } from "./inTurns.ts"

const program = (imports: ReadonlyArray<string>, layer: string): string =>
  [
    `import * as Effect from "effect/Effect"`,
    `import * as Layer from "effect/Layer"`,
    ...imports,
    `Effect.runFork(Effect.provide(Effect.withSpan(Effect.void, "a"), ${layer}))`
  ].join("\n")

const ours = program(
  [
    `import * as BatchSpanProcessor from "effect-telemetry/processors/BatchSpanProcessor"`,
    `import * as SpanExporter from "effect-telemetry/exporters/SpanExporter"`,
    `import * as OtlpSpanExporter from "effect-telemetry/exporters/OtlpSpanExporter"`,
    `import * as OtlpProtobuf from "effect-telemetry/otlp/OtlpProtobuf"`,
    `import * as Tracer from "effect-telemetry/tracing/Tracer"`,
    `const exporter = Layer.effect(SpanExporter.SpanExporter,`,
    `  OtlpSpanExporter.makeWith(OtlpProtobuf.encoder, { url: "http://localhost:4318/v1/traces" }))`
  ],
  `Tracer.layer({}).pipe(Layer.provide(BatchSpanProcessor.layer({})), Layer.provide(exporter))`
)

const theirs = program(
  [
    `import * as FetchHttpClient from "effect/http/FetchHttpClient"`,
    `import * as OtlpSerialization from "effect/observability/OtlpSerialization"`,
    `import * as OtlpTracer from "effect/observability/OtlpTracer"`
  ],
  `OtlpTracer.layer({ url: "http://localhost:4318/v1/traces", resource: { serviceName: "a" } }).pipe(` +
    `Layer.provide([OtlpSerialization.layerProtobuf, FetchHttpClient.layer]))`
)

/** Kilobytes. */
export const bundleSizes = async (): Promise<Sampled> => {
  const packed = pack()
  try {
    const weigh = async (code: string): Promise<number> => (await bundle(code, packed.project)).gzipped / 1000
    return { ours: [await weigh(ours)], peer: [await weigh(theirs)] }
  } finally {
    packed.remove()
  }
}
