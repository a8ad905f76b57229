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
    disk.medium.now += patience * 4
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
    disk.medium.now += patience - 1
    assert.deepStrictEqual(two.adopt(), [])
    assert.strictEqual(one.beat(), "kept")
    // It is looked at in every heartbeat: what counts is how often it was silent, so that no jump of a clock deceives.
    disk.medium.now += 10 * patience
    for (let silent = 0; silent <= patience; silent += heartbeat) assert.deepStrictEqual(two.adopt(), [])
    assert.deepStrictEqual(two.adopt(), [`${base}/one~two`])
  })

  it("is known at the first look to be gone where it was silent for long enough by the disk's clock", () => {
    const disk = diskWithBase()
    own(disk, base, "one", new Machine("b").start(1))
    disk.medium.now += patience + 1
    assert.deepStrictEqual(own(disk, base, "two", new Machine("a").start(1)).adopt(), [`${base}/one~two`])
  })

  it("is not taken for gone by a neighbour that slept with it", () => {
    const disk = diskWithBase()
    const machine = new Machine("a")
    const one = own(disk, base, "one", machine.start(1))
    const two = own(disk, base, "two", machine.start(2))
    assert.deepStrictEqual(two.adopt(), [])
    disk.medium.now += 8 * 3_600_000
    assert.deepStrictEqual(two.adopt(), [])
    one.beat()
    assert.deepStrictEqual(two.adopt(), [])
  })

  it("is not taken for gone by who began before it when the clock jumps before the first look", () => {
    const disk = diskWithBase()
    const two = own(disk, base, "two", new Machine("a").start(1))
    two.adopt()
    own(disk, base, "one", new Machine("b").start(1))
    disk.medium.now += 10 * patience
    assert.deepStrictEqual(two.adopt(), [])
  })

  it("is taken for gone where a thread of a living process has been silent for long", () => {
    const disk = diskWithBase()
    const machine = new Machine("a")
    own(disk, base, "thread", machine.start(1))
    const two = own(disk, base, "two", machine.start(1))
    for (let silent = 0; silent <= 5 * patience; silent += heartbeat) assert.deepStrictEqual(two.adopt(), [])
    assert.deepStrictEqual(two.adopt(), [`${base}/thread~two`])
  })

  it("is another's after it left, though the process lives", () => {
    const disk = diskWithBase()
    const machine = new Machine("a")
    const one = own(disk, base, "one", machine.start(1))
    disk.create(`${base}/one/0000000000-00000000.seg`)
    one.leave(one.folder)
    assert.deepStrictEqual(own(disk, base, "two", machine.start(1)).adopt(), [`${base}/one~two`])
  })

  it("is found by what a process left that ended while it made its folder, and not before that", () => {
    const disk = diskWithBase()
    disk.makeDirectory(`${base}/one.new`)
    const machine = new Machine("a")
    const two = own(disk, base, "two", machine.start(2))
    assert.deepStrictEqual(two.adopt(), [])
    const dying = new FakeDisk(disk.medium)
    dying.fault = (call) => call === "rename" ? "EIO" : undefined
    assert.throws(() => own(dying, base, "three", machine.start(3)))
    assert.isFalse(disk.has(`${base}/three.new`), "an attempt that fails leaves nothing")
    dying.fault = (call) => {
      if (call === "rename") dying.kill()
      return dying.isOver ? "EBADF" : undefined
    }
    assert.throws(() => own(dying, base, "three", machine.start(3)))
    assert.isTrue(disk.has(`${base}/three.new`))
    machine.running.delete(3)
    const four = own(disk, base, "four", machine.start(4))
    assert.deepStrictEqual(four.adopt(), [`${base}/three~four`])
    assert.isTrue(disk.has(`${base}/one.new`), "nothing tells yet that nobody makes it")
    for (let silent = 0; silent <= patience; silent += heartbeat) {
      disk.medium.now += heartbeat
      two.beat()
      four.adopt()
    }
    assert.isFalse(disk.has(`${base}/one.new`))
  })

  it("gets its folder as soon as there is room again, however often there was none", () => {
    const disk = diskWithBase()
    const one = own(disk, base, "one", new Machine("a").start(1))
    disk.deleteTree(`${base}/one`)
    for (const call of ["create", "write", "touch", "rename", "makeDirectory", "write"]) {
      disk.fault = (asked) => asked === call ? "ENOSPC" : undefined
      assert.throws(() => one.beat())
      assert.strictEqual(disk.medium.open, 0)
    }
    disk.fault = undefined
    assert.strictEqual(one.beat(), "gone")
    assert.strictEqual(one.beat(), "kept")
  })

  it("makes nothing anew in a place that is not safe any more", () => {
    const disk = diskWithBase()
    let isSafe = true
    const one = own(disk, base, "one", new Machine("a").start(1), () => {
      if (!isSafe) throw new Error("unsafe")
      disk.makeDirectory(base)
    })
    disk.deleteTree(base)
    isSafe = false
    assert.throws(() => one.beat(), "unsafe")
    assert.isFalse(disk.has(base))
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
    disk.medium.now += patience + 1
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
    disk.deleteTree(base)
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
    assert.isTrue(disk.has(path!))
    disk.remove(`${path}/0000000000-00000000.seg`)
    two.leave(path!)
    assert.isFalse(disk.has(path!))
  })

  it("ignores what is no folder of a spool", () => {
    const disk = diskWithBase()
    for (const name of ["lost+found", "..", "~x", "A B", "rejected"]) disk.makeDirectory(`${base}/${name}`)
    disk.touch(`${base}/file`)
    disk.plant(`${base}/link`)
    const one = own(disk, base, "one", new Machine("a").start(1))
    disk.medium.now += patience * 10
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
