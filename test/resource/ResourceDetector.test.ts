import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { readFileSync } from "node:fs"
import * as os from "node:os"
import * as Diagnostics from "../../src/diagnostics/Diagnostics.ts"
import { version } from "../../src/internal/version.ts"
import * as Resource from "../../src/model/Resource.ts"
import * as ResourceDetector from "../../src/resource/ResourceDetector.ts"

const recorded = () => {
  const lines: Array<string> = []
  return { lines, diagnostics: Diagnostics.make({ write: (line) => lines.push(line) }) }
}

const detect = (detector: ResourceDetector.ResourceDetector) => Effect.orDie(detector.detect)

describe("built-in detectors", () => {
  it.effect("process: what this process is, without its arguments", () =>
    Effect.gen(function*() {
      const resource = yield* detect(ResourceDetector.process())
      const { attributes } = resource
      assert.strictEqual(attributes["process.pid"], process.pid)
      assert.strictEqual(attributes["process.executable.path"], process.execPath)
      assert.strictEqual(attributes["process.executable.name"], "node")
      assert.strictEqual(attributes["process.command"], process.argv[1])
      assert.strictEqual(attributes["process.runtime.name"], "nodejs")
      assert.strictEqual(attributes["process.runtime.version"], process.versions.node)
      assert.strictEqual(attributes["process.runtime.description"], "Node.js")
      assert.notProperty(attributes, "process.command_args")
      assert.strictEqual(resource.schemaUrl, ResourceDetector.schemaUrl)
    }))

  it.effect("process: arguments when asked for", () =>
    Effect.gen(function*() {
      const { attributes } = yield* detect(ResourceDetector.process({ commandArgs: true }))
      const args = attributes["process.command_args"] as ReadonlyArray<string>
      assert.strictEqual(args[0], process.argv[0])
      assert.include(args, process.argv[1]!)
    }))

  it.effect("host: name, architecture in OpenTelemetry's words, id of the machine file", () =>
    Effect.gen(function*() {
      const { attributes } = yield* detect(ResourceDetector.host)
      assert.strictEqual(attributes["host.name"], os.hostname())
      assert.strictEqual(attributes["host.arch"], os.arch() === "x64" ? "amd64" : os.arch())
      let id: string | undefined
      try {
        id = readFileSync("/etc/machine-id", "utf8").trim() || undefined
      } catch {
        id = undefined
      }
      if (id !== undefined) assert.strictEqual(attributes["host.id"], id)
    }))

  it.effect("service instance: a version 4 UUID, another each time", () =>
    Effect.gen(function*() {
      const one = (yield* detect(ResourceDetector.serviceInstance)).attributes["service.instance.id"] as string
      const two = (yield* detect(ResourceDetector.serviceInstance)).attributes["service.instance.id"]
      assert.match(one, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.notStrictEqual(one, two)
    }))

  it.effect("sdk: name, language, and the version of package.json", () =>
    Effect.gen(function*() {
      const { attributes } = yield* detect(ResourceDetector.sdk)
      const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
      assert.strictEqual(version, manifest.version)
      assert.deepStrictEqual({ ...attributes }, {
        "telemetry.sdk.name": "effect-telemetry",
        "telemetry.sdk.language": "nodejs",
        "telemetry.sdk.version": manifest.version
      })
    }))

  it.effect("all of them give valid resources", () =>
    Effect.gen(function*() {
      const all = yield* ResourceDetector.detectAll([
        ResourceDetector.sdk,
        ResourceDetector.process({ commandArgs: true }),
        ResourceDetector.host,
        ResourceDetector.serviceInstance
      ]).pipe(Effect.provideService(Diagnostics.Diagnostics, recorded().diagnostics))
      assert.isTrue(Schema.is(Resource.Resource)(all))
      assert.strictEqual(all.schemaUrl, ResourceDetector.schemaUrl)
    }))
})

describe("detectAll", () => {
  it.effect("merges in order, a later detector wins", () =>
    Effect.gen(function*() {
      const resource = yield* ResourceDetector.detectAll([
        ResourceDetector.make("a", { x: 1, y: 1 }),
        ResourceDetector.make("b", { y: 2, z: 2 })
      ])
      assert.deepStrictEqual({ ...resource.attributes }, { x: 1, y: 2, z: 2 })
    }))

  it.effect("a detector that fails, dies, throws or gives nonsense is reported, and the others count", () =>
    Effect.gen(function*() {
      const { diagnostics, lines } = recorded()
      const resource = yield* ResourceDetector.detectAll([
        { name: "fails", detect: Effect.fail(new Error("no cloud here")) },
        { name: "dies", detect: Effect.die("oh") },
        { name: "interrupts", detect: Effect.interrupt },
        { name: "nonsense", detect: Effect.succeed(undefined as never) },
        {
          name: "throws",
          get detect(): never {
            throw new Error("getter")
          }
        },
        ResourceDetector.make("good", { ok: true })
      ]).pipe(Effect.provideService(Diagnostics.Diagnostics, diagnostics))
      assert.deepStrictEqual({ ...resource.attributes }, { ok: true })
      assert.deepStrictEqual([...diagnostics.counts.keys()].sort(), [
        "resource.dies",
        "resource.fails",
        "resource.interrupts",
        "resource.nonsense",
        "resource.throws"
      ])
      assert.isTrue(lines.some((line) => line.includes("no cloud here")))
    }))

  it.effect("a slow detector is given up after five seconds, even one that cannot be interrupted", () =>
    Effect.gen(function*() {
      const { diagnostics, lines } = recorded()
      const fiber = yield* ResourceDetector.detectAll([
        { name: "slow", detect: Effect.never },
        { name: "stubborn", detect: Effect.uninterruptible(Effect.delay(Effect.succeed(Resource.empty), "1 hour")) },
        ResourceDetector.make("good", { ok: true })
      ]).pipe(Effect.provideService(Diagnostics.Diagnostics, diagnostics), Effect.forkChild)
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const resource = yield* Fiber.join(fiber)
      assert.deepStrictEqual({ ...resource.attributes }, { ok: true })
      assert.deepStrictEqual([...diagnostics.counts.keys()].sort(), ["resource.slow", "resource.stubborn"])
      assert.isTrue(lines.every((line) => line.includes("too long")))
    }))

  it.effect("detectors run side by side, within a timeout of one's own", () =>
    Effect.gen(function*() {
      const { diagnostics } = recorded()
      const late = (name: string) => ({
        name,
        detect: Effect.delay(Effect.succeed(Resource.make({ [name]: true })), "80 millis")
      })
      const fiber = yield* ResourceDetector.detectAll([late("a"), late("b")], { timeout: "100 millis" }).pipe(
        Effect.provideService(Diagnostics.Diagnostics, diagnostics),
        Effect.forkChild
      )
      yield* TestClock.adjust("80 millis")
      const resource = yield* Fiber.join(fiber)
      assert.deepStrictEqual({ ...resource.attributes }, { a: true, b: true })
      assert.strictEqual(diagnostics.counts.size, 0)
    }))

  it.effect("schemas that differ are reported", () =>
    Effect.gen(function*() {
      const { diagnostics } = recorded()
      const resource = yield* ResourceDetector.detectAll([
        { name: "a", detect: Effect.succeed(Resource.make({ a: 1 }, "https://a")) },
        { name: "b", detect: Effect.succeed(Resource.make({ b: 1 }, "https://b")) }
      ]).pipe(Effect.provideService(Diagnostics.Diagnostics, diagnostics))
      assert.isUndefined(resource.schemaUrl)
      assert.deepStrictEqual({ ...resource.attributes }, { a: 1, b: 1 })
      assert.strictEqual(diagnostics.counts.get("resource.schema"), 1)
    }))
})
