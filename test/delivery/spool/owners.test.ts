import { assert, describe, it } from "@effect/vitest"
import { heartbeat, own, patience, type Processes, type ProcessIdentity } from "../../../src/delivery/spool/owners.ts"
import { systemProcesses } from "../../../src/delivery/spool/processes.ts"
import { FakeDisk } from "./fakeDisk.ts"

const base = "/spool"

/** A machine with processes that come and go. */
class Machine {
  readonly running = new Map<number, string>()
  private readonly boot: string
  private readonly namespace: string

  constructor(boot: string, namespace = "pid:[1]") {
    this.boot = boot
    this.namespace = namespace
  }

  start(pid: number, started = "100"): Processes {
    this.running.set(pid, started)
    const self: ProcessIdentity = { pid, boot: this.boot, namespace: this.namespace, started }
    return { self, startedOf: (other) => this.running.get(other) }
  }
}

const diskWithBase = (): FakeDisk => {
  const disk = new FakeDisk()
  disk.makeDirectory(base)
  return disk
}

describe("the owner of a folder", () => {
  it("leaves the folders of the living alone", () => {
    const disk = diskWithBase()
    const machine = new Machine("a")
    own(disk, base, "one", machine.start(1))
    const two = own(disk, base, "two", machine.start(2))
    disk.now += patience * 4
    assert.deepStrictEqual(two.adopt(), [])
  })

  it("takes over at once what a process of its own machine left", () => {
    const disk = diskWithBase()
    const machine = new Machine("a")
    own(disk, base, "one", machine.start(1))
    const two = own(disk, base, "two", machine.start(2))
    machine.running.delete(1)
    assert.deepStrictEqual(two.adopt(), [`${base}/one~two`])
    assert.deepStrictEqual(two.adopt(), [], "it is its own now")
  })

  it("is not deceived by a pid that another process has by now", () => {
    const disk = diskWithBase()
    const machine = new Machine("a")
    own(disk, base, "one", machine.start(1, "100"))
    const two = own(disk, base, "two", machine.start(2))
    machine.start(1, "200")
    assert.deepStrictEqual(two.adopt(), [`${base}/one~two`])
  })

  it.each([
    ["another machine", new Machine("b")],
    ["another container", new Machine("a", "pid:[2]")]
  ])("waits for the silence of an owner on %s", (_, other) => {
    const disk = diskWithBase()
    const one = own(disk, base, "one", other.start(1))
    const two = own(disk, base, "two", new Machine("a").start(1))
    disk.now += patience - 1
    assert.deepStrictEqual(two.adopt(), [])
    assert.strictEqual(one.beat(), "kept")
    disk.now += patience
    assert.deepStrictEqual(two.adopt(), [])
    disk.now += heartbeat
    assert.deepStrictEqual(two.adopt(), [`${base}/one~two`])
  })

  it("takes over what somebody took over who is gone as well", () => {
    const disk = diskWithBase()
    const machine = new Machine("a")
    own(disk, base, "one", machine.start(1))
    const two = own(disk, base, "two", machine.start(2))
    machine.running.delete(1)
    two.adopt()
    machine.running.delete(2)
    const three = own(disk, base, "three", machine.start(3))
    assert.deepStrictEqual([...three.adopt()].sort(), [`${base}/one~three`, `${base}/two~three`])
  })

  it("is one, however many want to be", () => {
    const disk = diskWithBase()
    const machine = new Machine("a")
    for (let i = 0; i < 20; i++) own(disk, base, `dead${i}`, machine.start(i + 1))
    const rivals = ["x", "y", "z"].map((id, i) => own(disk, base, id, machine.start(100 + i)))
    for (let i = 0; i < 20; i++) machine.running.delete(i + 1)
    const adopted = rivals.flatMap((rival) => rival.adopt().map((path) => path.replace(/~.*/, "")))
    assert.strictEqual(adopted.length, 20)
    assert.strictEqual(new Set(adopted).size, 20)
  })

  it("learns that its folder was taken, and makes itself a new one", () => {
    const disk = diskWithBase()
    const one = own(disk, base, "one", new Machine("b").start(1))
    const two = own(disk, base, "two", new Machine("a").start(1))
    disk.now += patience + 1
    two.adopt()
    assert.strictEqual(one.beat(), "taken")
    assert.strictEqual(one.beat(), "kept")
    assert.deepStrictEqual(two.adopt(), [])
  })

  it("says again that it is alive where only that was deleted", () => {
    const disk = diskWithBase()
    const one = own(disk, base, "one", new Machine("a").start(1))
    disk.remove(`${base}/one/alive`)
    assert.strictEqual(one.beat(), "kept")
    assert.strictEqual(one.beat(), "kept")
  })

  it("learns that its folder was deleted, and makes itself a new one", () => {
    const disk = diskWithBase()
    const one = own(disk, base, "one", new Machine("a").start(1))
    disk.files.clear()
    disk.directories.clear()
    assert.strictEqual(one.beat(), "gone")
    assert.strictEqual(one.beat(), "kept")
  })

  it("removes what it took over once it is empty, and nothing else", () => {
    const disk = diskWithBase()
    const machine = new Machine("a")
    own(disk, base, "one", machine.start(1))
    const two = own(disk, base, "two", machine.start(2))
    machine.running.delete(1)
    const [path] = two.adopt()
    disk.create(`${path}/0000000000-00000000.seg`)
    two.leave(path!)
    assert.isTrue(disk.directories.has(path!))
    disk.remove(`${path}/0000000000-00000000.seg`)
    two.leave(path!)
    assert.isFalse(disk.directories.has(path!))
  })

  it("ignores what is no folder of a spool", () => {
    const disk = diskWithBase()
    for (const name of ["lost+found", "a.new", "..", "~x", "A B"]) disk.makeDirectory(`${base}/${name}`)
    disk.touch(`${base}/file`)
    const one = own(disk, base, "one", new Machine("a").start(1))
    disk.now += patience * 10
    assert.deepStrictEqual(one.adopt(), [])
  })

  it.skipIf(process.platform !== "linux")("knows itself and its neighbours", () => {
    const { self, startedOf } = systemProcesses()
    assert.strictEqual(self.pid, process.pid)
    assert.match(self.started ?? "", /^\d+$/)
    assert.strictEqual(startedOf(process.pid), self.started)
    assert.isDefined(startedOf(1))
    assert.isUndefined(startedOf(0x7fffffff))
    assert.isDefined(self.boot)
    assert.isDefined(self.namespace)
  })
})
