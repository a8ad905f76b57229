/**
 * effect-telemetry: OpenTelemetry data from Effect programs.
 *
 * The modules stand in the order in which a span passes them.
 */

// The front door
export {
  flush,
  type FlushResult,
  type Health,
  Telemetry,
  TelemetryLayer,
  type TelemetryLayerOptions
} from "./Telemetry.ts"
export * as TelemetryConfig from "./TelemetryConfig.ts"

// Records
export * as EnvironmentPropagation from "./tracing/EnvironmentPropagation.ts"
export * as HttpClientPropagation from "./tracing/HttpClientPropagation.ts"
export * as HttpDeferredKeep from "./tracing/HttpDeferredKeep.ts"
export * as IdGenerator from "./tracing/IdGenerator.ts"
export * as Outcome from "./tracing/Outcome.ts"
export * as SpanLimits from "./tracing/SpanLimits.ts"
export * as Trace from "./tracing/Trace.ts"
export * as Tracer from "./tracing/Tracer.ts"

// Processes
export * as BatchSpanProcessor from "./processors/BatchSpanProcessor.ts"
export * as FilterSpanProcessor from "./processors/FilterSpanProcessor.ts"
export * as RedactSpanProcessor from "./processors/RedactSpanProcessor.ts"
export * as SimpleSpanProcessor from "./processors/SimpleSpanProcessor.ts"
export * as SpanProcessor from "./processors/SpanProcessor.ts"
export * as TailSampler from "./processors/TailSampler.ts"

// Records what is said
export * as BatchLogRecordProcessor from "./logs/BatchLogRecordProcessor.ts"
export * as FilterLogRecordProcessor from "./logs/FilterLogRecordProcessor.ts"
export * as Logger from "./logs/Logger.ts"
export * as LogRecordLimits from "./logs/LogRecordLimits.ts"
export * as LogRecordProcessor from "./logs/LogRecordProcessor.ts"
export * as RedactLogRecordProcessor from "./logs/RedactLogRecordProcessor.ts"
export * as Severity from "./logs/Severity.ts"
export * as SimpleLogRecordProcessor from "./logs/SimpleLogRecordProcessor.ts"

// Decides
export * as AdaptiveSampler from "./sampling/AdaptiveSampler.ts"
export * as CounterStore from "./sampling/CounterStore.ts"
export * as DecisionLog from "./sampling/DecisionLog.ts"
export * as DryRun from "./sampling/DryRun.ts"
export * as JaegerRemoteSampler from "./sampling/JaegerRemoteSampler.ts"
export * as Predicate from "./sampling/Predicate.ts"
export * as RateLimitSampler from "./sampling/RateLimitSampler.ts"
export * as RuleSampler from "./sampling/RuleSampler.ts"
export * as Sampler from "./sampling/Sampler.ts"
export * as SamplerConfig from "./sampling/SamplerConfig.ts"
export * as Sampling from "./sampling/Sampling.ts"
export * as SamplingConfig from "./sampling/SamplingConfig.ts"
export * as TailPolicy from "./sampling/TailPolicy.ts"
export * as Threshold from "./sampling/Threshold.ts"

// Crosses processes
export * as B3 from "./context/B3.ts"
export * as EnvironmentCarrier from "./context/EnvironmentCarrier.ts"
export * as Jaeger from "./context/Jaeger.ts"
export * as Propagator from "./context/Propagator.ts"
export * as W3CBaggage from "./context/W3CBaggage.ts"
export * as W3CTraceContext from "./context/W3CTraceContext.ts"

// Says who emits
export * as ResourceDetector from "./resource/ResourceDetector.ts"

// Counts and measures
export * as Aggregation from "./metrics/Aggregation.ts"
export * as EffectMetrics from "./metrics/EffectMetrics.ts"
export * as Exemplars from "./metrics/Exemplars.ts"
export * as ExponentialHistogram from "./metrics/ExponentialHistogram.ts"
export * as HttpPrometheusRoute from "./metrics/HttpPrometheusRoute.ts"
export * as Meter from "./metrics/Meter.ts"
export * as MeterProvider from "./metrics/MeterProvider.ts"
export * as MetricProducer from "./metrics/MetricProducer.ts"
export * as PeriodicMetricReader from "./metrics/PeriodicMetricReader.ts"
export * as PrometheusReader from "./metrics/PrometheusReader.ts"
export * as PrometheusServer from "./metrics/PrometheusServer.ts"
export * as View from "./metrics/View.ts"

// Goes somewhere
export * as ConsoleLogExporter from "./exporters/ConsoleLogExporter.ts"
export * as ConsoleMetricExporter from "./exporters/ConsoleMetricExporter.ts"
export * as ConsoleSpanExporter from "./exporters/ConsoleSpanExporter.ts"
export * as FileLogExporter from "./exporters/FileLogExporter.ts"
export * as FileSpanExporter from "./exporters/FileSpanExporter.ts"
export * as InMemoryLogExporter from "./exporters/InMemoryLogExporter.ts"
export * as InMemoryMetricExporter from "./exporters/InMemoryMetricExporter.ts"
export * as InMemorySpanExporter from "./exporters/InMemorySpanExporter.ts"
export * as LogExporter from "./exporters/LogExporter.ts"
export * as MetricExporter from "./exporters/MetricExporter.ts"
export * as OtlpLogExporter from "./exporters/OtlpLogExporter.ts"
export * as OtlpMetricExporter from "./exporters/OtlpMetricExporter.ts"
export * as OtlpSpanExporter from "./exporters/OtlpSpanExporter.ts"
export * as PrometheusText from "./exporters/PrometheusText.ts"
export * as SpanExporter from "./exporters/SpanExporter.ts"
export * as TraceRenderer from "./exporters/TraceRenderer.ts"
export * as TraceTree from "./exporters/TraceTree.ts"

// Is written
export * as OtlpDecoder from "./otlp/OtlpDecoder.ts"
export * as OtlpEncoder from "./otlp/OtlpEncoder.ts"
export * as OtlpJson from "./otlp/OtlpJson.ts"
export * as OtlpLogJson from "./otlp/OtlpLogJson.ts"
export * as OtlpLogProtobuf from "./otlp/OtlpLogProtobuf.ts"
export * as OtlpMetricEncoder from "./otlp/OtlpMetricEncoder.ts"
export * as OtlpMetricsJson from "./otlp/OtlpMetricsJson.ts"
export * as OtlpMetricsProtobuf from "./otlp/OtlpMetricsProtobuf.ts"
export * as OtlpProtobuf from "./otlp/OtlpProtobuf.ts"

// Arrives
export * as Batcher from "./delivery/Batcher.ts"
export * as Delivery from "./delivery/Delivery.ts"
export * as Retry from "./delivery/Retry.ts"
export * as Spool from "./delivery/Spool.ts"
export * as Transport from "./delivery/Transport.ts"

// Is what flows
export * as Attributes from "./model/Attributes.ts"
export * as Baggage from "./model/Baggage.ts"
export * as InstrumentationScope from "./model/InstrumentationScope.ts"
export * as LogRecord from "./model/LogRecord.ts"
export * as MetricData from "./model/MetricData.ts"
export * as ReadableLogRecord from "./model/ReadableLogRecord.ts"
export * as ReadableSpan from "./model/ReadableSpan.ts"
export * as Resource from "./model/Resource.ts"
export * as SpanContext from "./model/SpanContext.ts"
export * as SpanData from "./model/SpanData.ts"
export * as TraceState from "./model/TraceState.ts"

// Is accounted for
export * as Diagnostics from "./diagnostics/Diagnostics.ts"
export * as Ledger from "./diagnostics/Ledger.ts"
