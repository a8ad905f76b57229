/** A reader that is asked: each scrape is a collection, in the format that the scraper asks for. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PrometheusText from "../exporters/PrometheusText.ts"
import { MeterProvider, type ReaderPreferences } from "./MeterProvider.ts"

/** Options of {@link make}. */
export interface PrometheusReaderOptions
  extends Omit<ReaderPreferences, "temporality">, Omit<PrometheusText.Options, "format" | "escaping">
{}

/** An answer to a scrape. */
export interface Scrape {
  readonly contentType: string
  readonly body: string
}

/** Answers scrapes. */
export class PrometheusReader extends Context.Service<PrometheusReader, {
  /** Collects, and writes it down by the `Accept` header of the request; without one, as plain text. */
  readonly scrape: (accept?: string | undefined) => Scrape
}>()("effect-telemetry/metrics/PrometheusReader") {}

/** The implementation type of the {@link PrometheusReader} service. */
export type PrometheusReaderShape = PrometheusReader["Service"]

/**
 * Makes a reader for Prometheus.
 *
 * **Details**
 *
 * All series are cumulative. An exemplar is part of one answer in OpenMetrics; plain text has no place for it, and leaves it to the next.
 */
export const make = (
  options: PrometheusReaderOptions = {}
): Effect.Effect<PrometheusReaderShape, never, MeterProvider> =>
  Effect.map(MeterProvider, (provider) => {
    const reader = provider.addReader({ ...options, temporality: "cumulative" })
    return PrometheusReader.of({
      scrape: (accept) => {
        const { contentType, escaping, format } = PrometheusText.negotiate(accept)
        const { commit, metrics } = reader.collect({ exemplars: format === "openmetrics" })
        commit()
        return { contentType, body: PrometheusText.format(metrics, { ...options, format, escaping }) }
      }
    })
  })

/** {@link make} as a layer. */
export const layer = (options?: PrometheusReaderOptions): Layer.Layer<PrometheusReader, never, MeterProvider> =>
  Layer.effect(PrometheusReader, make(options))
