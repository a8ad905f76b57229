/**
 * The ledger as metrics, by the names that OpenTelemetry's semantic conventions give an SDK's own (`otel/sdk-metrics.md`).
 *
 * **Details**
 *
 * Each is a series of Effect's `MetricRegistry` that looks into the ledger when it is read, so a span costs nothing for
 * it, and whatever reads Effect's metrics finds them: Effect's Prometheus page, its OTLP exporter, or one's own.
 *
 * | name | kind | attributes beside the component's |
 * | --- | --- | --- |
 * | `otel.sdk.span.started` | counter | `otel.span.sampling_result` |
 * | `otel.sdk.span.live` | up-down counter | – |
 * | `otel.sdk.processor.span.queue.size`, `.queue.capacity` | up-down counter | – |
 * | `otel.sdk.processor.span.processed` | counter | `error.type`, the reason of a loss before the export |
 * | `otel.sdk.exporter.span.inflight` | up-down counter | – |
 * | `otel.sdk.exporter.span.exported` | counter | `error.type`, the reason of a loss in the export |
 * | `otel.sdk.exporter.operation.duration` | histogram, seconds | – |
 * | `effect_telemetry.spool.span.count` | up-down counter | – |
 *
 * Of log records there are the same by `log` in the place of `span`, and `otel.sdk.log.created`, a counter, for the first two.
 *
 * Several layers may share a registry: each component has a number of its own there, and the spans of all of them are
 * added up.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import { type Account, type DropReason, durationBounds, type RejectReason, type SignalLedger } from "./Ledger.ts"

/** Losses that happen before a batch is handed to the exporter. */
const beforeExport: ReadonlySet<string> = new Set<DropReason>([
  "filtered",
  "processor_error",
  "queue_full",
  "unserializable",
  "shutdown"
])

/** Reasons for which the conventions have a word of their own. */
const conventional: { readonly [Reason in DropReason | RejectReason]?: string } = {
  partial_rejected: "rejected",
  shutdown: "already_shutdown"
}

/** Registers the series of `ledger`, of spans or of log records, until the scope closes. */
export const register = Effect.fnUntraced(function*(
  ledger: SignalLedger,
  item: "span" | "log" = "span"
): Effect.fn.Return<void, never, Scope.Scope> {
  const context = yield* Effect.context<never>()
  const registry = Context.get(context, Metric.MetricRegistry)
  const registrations: Array<Registration> = []
  const sum: AddSum = (name, attributes, isMonotonic, read) => {
    registrations.push(registerSum(context, registry, Metric.counter(name, { attributes, incremental: isMonotonic }), {
      isMonotonic,
      read
    }))
  }
  const started = (result: string, read: () => number): void =>
    sum("otel.sdk.span.started", { "otel.span.sampling_result": result }, true, read)

  if (item === "log") sum("otel.sdk.log.created", {}, true, () => ledger.created)
  else {
    started("DROP", () => ledger.sampledOut)
    started("RECORD_ONLY", () => ledger.recordOnly)
    started("RECORD_AND_SAMPLE", () => ledger.created - ledger.sampledOut - ledger.recordOnly)
    sum("otel.sdk.span.live", {}, false, () => ledger.open)
  }
  const numbers = freeNumbers(registry)
  for (const account of ledger.accounts) accountSeries(account, item, numbers, sum, registrations, context)
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const account of ledger.accounts) account.onReason = undefined
      for (const registration of registrations) registration.remove()
    })
  )
})

interface Registration {
  readonly remove: () => void
}

/** What reads a series: each layer in the registry adds what it counted. */
interface SharedRead {
  (): { readonly count: number; readonly incremental: boolean }
  readonly reads: Set<() => number>
}

/** Adds to the series that another layer registered before, if one did: the registry keeps only one of each. */
const registerSum = (
  context: Context.Context<never>,
  registry: Metric.MetricRegistry,
  metric: Metric.Counter<number>,
  { isMonotonic, read }: { readonly isMonotonic: boolean; readonly read: () => number }
): Registration => {
  const candidates = [...registry].filter(([, { id }]) => id === metric.id)
  const reads = new Set([read])
  const get: SharedRead = Object.assign(() => {
    let count = 0
    for (const one of reads) count += one()
    return { count, incremental: isMonotonic }
  }, { reads })
  Metric.registerUnsafe(metric, context, { get, update: ignored, modify: ignored })
  const replaced = candidates.find(([key, metadata]) => registry.get(key) !== metadata)
  const shared = (replaced?.[1].hooks.get as Partial<SharedRead> | undefined)?.reads
  if (replaced !== undefined && shared !== undefined) {
    registry.set(...replaced)
    shared.add(read)
  }
  const members = shared ?? reads
  return {
    remove: () => {
      members.delete(read)
      if (members.size > 0) return
      for (const [key, { hooks }] of registry) {
        if ((hooks.get as Partial<SharedRead>).reads === members) registry.delete(key)
      }
    }
  }
}

/** Gives each type of component its next number: one that no other layer in the registry has. */
const freeNumbers = (registry: Metric.MetricRegistry): (...types: ReadonlyArray<string>) => number => {
  const taken = new Set<string | undefined>()
  for (const { attributes } of registry.values()) taken.add(attributes?.["otel.component.name"])
  let next = 0
  return (...types) => {
    while (types.some((type) => taken.has(`${type}/${next}`))) next++
    return next++
  }
}

type AddSum = (
  name: string,
  attributes: Record<string, string>,
  isMonotonic: boolean,
  read: () => number
) => void

const accountSeries = (
  account: Account,
  item: "span" | "log",
  numbers: (...types: ReadonlyArray<string>) => number,
  sum: AddSum,
  registrations: Array<Registration>,
  context: Context.Context<never>
): void => {
  const { serverAddress, serverPort, type = account.destination } = account.component
  const processorType = account.capacity === undefined ? "processor" : `batching_${item}_processor`
  const number = numbers(type, processorType)
  const exporter = {
    "otel.component.name": `${type}/${number}`,
    "otel.component.type": type,
    ...serverAddress === undefined ? {} : { "server.address": serverAddress },
    ...serverPort === undefined ? {} : { "server.port": String(serverPort) }
  }
  const processor = { "otel.component.name": `${processorType}/${number}`, "otel.component.type": processorType }

  const { capacity } = account
  if (capacity !== undefined) sum(`otel.sdk.processor.${item}.queue.capacity`, processor, false, () => capacity)
  sum(`otel.sdk.processor.${item}.queue.size`, processor, false, () => account.queued - account.inFlight)
  sum(`otel.sdk.exporter.${item}.inflight`, exporter, false, () => account.inFlight)
  sum(`effect_telemetry.spool.${item}.count`, exporter, false, () => account.spooled)
  sum(`otel.sdk.exporter.${item}.exported`, exporter, true, () => account.exported)
  sum(`otel.sdk.processor.${item}.processed`, processor, true, () => {
    let lost = 0
    for (const reason of beforeExport) lost += account.dropped[reason as DropReason] ?? 0
    return account.accounted - account.sampledOut - lost - (account.queued - account.inFlight)
  })
  const loss = (reason: DropReason | RejectReason): void => {
    const count = (): number =>
      (account.dropped[reason as DropReason] ?? 0) + (account.rejected[reason as RejectReason] ?? 0)
    const [name, component] = beforeExport.has(reason)
      ? [`otel.sdk.processor.${item}.processed`, processor] as const
      : [`otel.sdk.exporter.${item}.exported`, exporter] as const
    sum(name, { ...component, "error.type": conventional[reason] ?? reason }, true, count)
  }
  for (const reason in account.dropped) loss(reason as DropReason)
  for (const reason in account.rejected) loss(reason as RejectReason)
  account.onReason = loss

  const duration = Metric.histogram("otel.sdk.exporter.operation.duration", {
    attributes: exporter,
    boundaries: durationBounds
  })
  const { durations } = account
  registrations.push(Metric.registerUnsafe(duration, context, {
    get: () => ({
      buckets: durationBounds.map((bound, i): [number, number] => [bound, cumulative(durations.buckets, i)]),
      count: durations.count,
      min: durations.count === 0 ? 0 : durations.min,
      max: durations.count === 0 ? 0 : durations.max,
      sum: durations.sum
    }),
    update: ignored,
    modify: ignored
  }))
}

const ignored = (): void => {}

/** Durations up to the bound of an index. */
const cumulative = (buckets: ReadonlyArray<number>, index: number): number => {
  let count = 0
  for (let i = 0; i <= index; i++) count += buckets[i]!
  return count
}
