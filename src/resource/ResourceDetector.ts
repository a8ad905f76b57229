/**
 * Detectors: what a program can learn by itself about who emits its telemetry
 * (`resource/sdk.md#detecting-resource-information-from-the-environment`).
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { Diagnostics } from "../diagnostics/Diagnostics.ts"
import { describeError } from "../internal/describeError.ts"
import { nodeBuiltin } from "../internal/nodeBuiltin.ts"
import { version } from "../internal/version.ts"
import * as Resource from "../model/Resource.ts"

/**
 * A source of resource attributes.
 *
 * **Details**
 *
 * What it does not know it leaves out; when it knows nothing, the result is empty. It may fail with anything:
 * {@link detectAll} goes on without it.
 */
export interface ResourceDetector {
  /** Names the detector in diagnostics. */
  readonly name: string
  readonly detect: Effect.Effect<Resource.Resource, unknown>
}

/** The schema whose names the built-in detectors use. */
export const schemaUrl = "https://opentelemetry.io/schemas/1.45.0"

/** A detector that always finds the given attributes. */
export const make = (name: string, attributes: Readonly<Record<string, unknown>>): ResourceDetector => ({
  name,
  detect: Effect.sync(() => Resource.make(attributes))
})

const runtime = (): Partial<NodeJS.Process> | undefined =>
  (globalThis as { readonly process?: Partial<NodeJS.Process> }).process

// One attribute that cannot be read (no user of this id, no permission) takes no other with it.
const attempt = <A>(read: () => A): A | undefined => Option.getOrUndefined(Option.liftThrowable(read)())

const baseName = (path: string): string => path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1)

const runtimeOf = (versions: Partial<NodeJS.ProcessVersions>): readonly [string, string, string | undefined] =>
  versions["bun"] !== undefined
    ? ["bun", "Bun", versions["bun"]]
    : versions["deno"] !== undefined
    ? ["deno", "Deno", versions["deno"]]
    : ["nodejs", "Node.js", versions.node]

/**
 * The process (`process.*`): pid, executable, command, owner, runtime.
 *
 * **Details**
 *
 * `process.command` is the path of the main script, as OpenTelemetry JavaScript has it.
 *
 * **Gotchas**
 *
 * `process.command_args` is off by default, since command lines carry secrets.
 */
export const process = (options?: { readonly commandArgs?: boolean | undefined }): ResourceDetector => ({
  name: "process",
  detect: Effect.sync(() => {
    const host = runtime()
    if (host?.pid === undefined) return Resource.empty
    const { argv = [], execArgv = [], execPath } = host
    const [name, description, runtimeVersion] = runtimeOf(host.versions ?? {})
    const os = nodeBuiltin<typeof import("node:os")>("os")
    return Resource.make({
      "process.pid": host.pid,
      "process.executable.name": execPath === undefined ? undefined : baseName(execPath),
      "process.executable.path": execPath,
      "process.command": argv[1],
      "process.command_args": options?.commandArgs === true
        ? [...argv.slice(0, 1), ...execArgv, ...argv.slice(1)]
        : undefined,
      "process.owner": attempt(() => os?.userInfo().username),
      "process.runtime.name": name,
      "process.runtime.version": runtimeVersion,
      "process.runtime.description": description
    }, schemaUrl)
  })
})

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm: "arm32", ia32: "x86", ppc: "ppc32" }

const machineIdFiles: Readonly<Record<string, ReadonlyArray<string>>> = {
  linux: ["/etc/machine-id", "/var/lib/dbus/machine-id"],
  freebsd: ["/etc/hostid"],
  openbsd: ["/etc/hostid"]
}

const readMachineId = (platform: string): Effect.Effect<string | undefined> => {
  const fs = nodeBuiltin<typeof import("node:fs")>("fs")
  const files = machineIdFiles[platform] ?? []
  if (fs === undefined) return Effect.succeed(undefined)
  return Effect.firstSuccessOf([
    ...files.map((file) =>
      // At once: one short file of the system, so that a telemetry need not be waited for.
      Effect.try({ try: () => fs.readFileSync(file, "utf8"), catch: (error) => error }).pipe(
        Effect.map((text) => text.trim()),
        Effect.filterOrFail((id) => id !== "" && id.length <= 256)
      )
    ),
    Effect.succeed(undefined)
  ]).pipe(Effect.catch(() => Effect.succeed(undefined)))
}

/**
 * The host (`host.*`): name, architecture, id.
 *
 * **Details**
 *
 * `host.id` is the machine id of Linux and the BSDs, where the file can be read. On other systems it takes a command to
 * find, which a library does not run.
 */
export const host: ResourceDetector = {
  name: "host",
  detect: Effect.suspend(() => {
    const os = nodeBuiltin<typeof import("node:os")>("os")
    if (os === undefined) return Effect.succeed(Resource.empty)
    return Effect.map(readMachineId(os.platform()), (id) =>
      Resource.make({
        "host.name": attempt(() => os.hostname()),
        "host.arch": attempt(() => architectures[os.arch()] ?? os.arch()),
        "host.id": id
      }, schemaUrl))
  })
}

/** `service.instance.id`: a random UUID (version 4), new with each run of the detector. */
export const serviceInstance: ResourceDetector = {
  name: "serviceinstance",
  detect: Effect.try({
    try: () => Resource.make({ "service.instance.id": crypto.randomUUID() }, schemaUrl),
    catch: (error) => error
  })
}

/** The SDK (`telemetry.sdk.*`), as `resource/semantic-conventions.md#telemetry-sdk` requires it. */
export const sdk: ResourceDetector = {
  name: "sdk",
  detect: Effect.sync(() =>
    Resource.make({
      "telemetry.sdk.name": "effect-telemetry",
      "telemetry.sdk.language": "nodejs",
      "telemetry.sdk.version": version
    }, schemaUrl)
  )
}

const detectOne = Effect.fnUntraced(function*(
  detector: ResourceDetector,
  timeout: Duration.Input,
  diagnostics: Diagnostics
) {
  const without = (reason: string): Resource.Resource => {
    diagnostics.report(
      "warn",
      `resource.${detector.name}`,
      `resource detector ${detector.name} ${reason}; the resource goes without it`
    )
    return Resource.empty
  }
  // Detached, so that a detector that cannot be interrupted holds up nothing beyond the timeout.
  const fiber = yield* Effect.forkDetach(Effect.suspend(() => detector.detect), { startImmediately: true })
  const found = fiber.pollUnsafe()
  // What is known at once is not waited for, so that a telemetry can be there at once.
  const exit = found !== undefined ? Option.some(found) : yield* Effect.timeoutOption(Fiber.await(fiber), timeout).pipe(
    Effect.onInterrupt(() => Effect.sync(() => fiber.interruptUnsafe()))
  )
  if (Option.isNone(exit)) {
    fiber.interruptUnsafe()
    return without("took too long")
  }
  if (Exit.isFailure(exit.value)) return without(`failed: ${describeError(Cause.squash(exit.value.cause))}`)
  // A detector may come from anywhere, so what it gives is made a resource here.
  const { value } = exit.value
  return attempt(() => Resource.make(value.attributes, value.schemaUrl)) ?? without("gave no resource")
})

/**
 * Runs `detectors` side by side and merges what they find, in their order: a later one wins.
 *
 * **Details**
 *
 * Never fails. A detector that fails, or takes longer than `timeout` (default 5 seconds), is left out and reported under
 * `resource.<name>`. Two detectors that name different schemas leave the result without one, which is reported too.
 */
export const detectAll = (
  detectors: ReadonlyArray<ResourceDetector>,
  options?: { readonly timeout?: Duration.Input | undefined }
): Effect.Effect<Resource.Resource> =>
  Effect.flatMap(Diagnostics, (diagnostics) =>
    Effect.map(
      Effect.forEach(detectors, (detector) => detectOne(detector, options?.timeout ?? "5 seconds", diagnostics), {
        concurrency: "unbounded"
      }),
      (resources) =>
        resources.reduce((merged, resource, index) => {
          if (Resource.isConflict(merged, resource)) {
            diagnostics.report(
              "warn",
              "resource.schema",
              `resource detector ${detectors[index]!.name} uses another schema URL than those before it; none is set`
            )
          }
          return Resource.merge(merged, resource)
        }, Resource.empty)
    ))
