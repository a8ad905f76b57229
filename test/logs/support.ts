import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as EffectLogger from "effect/Logger"
import { LogsLedger } from "../../src/diagnostics/CurrentLedger.ts"
import { Diagnostics } from "../../src/diagnostics/Diagnostics.ts"
import { SignalLedger } from "../../src/diagnostics/Ledger.ts"
import * as InMemoryLogExporter from "../../src/exporters/InMemoryLogExporter.ts"
import { LogExporter } from "../../src/exporters/LogExporter.ts"
import * as Logger from "../../src/logs/Logger.ts"
import { defaults, LogRecordLimits } from "../../src/logs/LogRecordLimits.ts"
import * as LogRecordProcessor from "../../src/logs/LogRecordProcessor.ts"
import * as SimpleLogRecordProcessor from "../../src/logs/SimpleLogRecordProcessor.ts"
import * as Resource from "../../src/model/Resource.ts"
import { collected } from "../delivery/support.ts"

export const resource = Resource.make({ "service.name": "shop" })

/** A logger over processors and an exporter that keeps what it is given, with a ledger of its own. */
export const setUp = Effect.fnUntraced(function*(options: {
  readonly processors?: ReadonlyArray<LogRecordProcessor.LogRecordProcessorShape>
  readonly limits?: Partial<LogRecordLimits>
} = {}) {
  const memory = InMemoryLogExporter.makeUnsafe()
  const ledger = new SignalLedger()
  const { diagnostics, lines } = collected()
  const build = Effect.gen(function*() {
    const simple = yield* Effect.provideService(SimpleLogRecordProcessor.make(), LogExporter, memory.exporter)
    const processor = LogRecordProcessor.compose([...options.processors ?? [], simple], diagnostics)
    const core = yield* Effect.provideService(
      Logger.make({ resource }),
      LogRecordProcessor.LogRecordProcessor,
      processor
    )
    return { core, processor }
  })
  const { core, processor } = yield* build.pipe(
    Effect.provideService(LogsLedger, ledger),
    Effect.provideService(Diagnostics, diagnostics),
    Effect.provideService(LogRecordLimits, { ...defaults, ...options.limits })
  )
  const services = Context.make(Logger.Logger, core).pipe(
    Context.add(EffectLogger.CurrentLoggers, new Set([Logger.toEffectLogger(core)]))
  )
  const records = Effect.andThen(processor.flush, memory.records)
  return {
    core,
    ledger,
    lines,
    records,
    /** Runs a program and answers with what it logged. */
    logged: <A, E, R>(program: Effect.Effect<A, E, R>) =>
      Effect.andThen(Effect.andThen(memory.reset, Effect.exit(Effect.provideContext(program, services))), records),
    run: <A, E, R>(program: Effect.Effect<A, E, R>) => Effect.provideContext(program, services)
  }
})
