/**
 * Usage: node scripts/complete-lock.mjs [<package-lock.json>]
 *
 * `npm ci` refuses a lock file that leaves out an optional dependency, even one for another platform, and npm leaves
 * out what the registry in use does not carry. This writes the missing ones down: version, system and processor, as
 * their names tell them. An integrity is added by the next `npm install` that sees the package. That of a tarball which
 * is packed here goes: each is another.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const path = process.argv[2] ?? fileURLToPath(new URL("../package-lock.json", import.meta.url))
const lock = JSON.parse(readFileSync(path, "utf8"))

const systems = /(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-(.+)$/
const processors = /^(arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64)/

const added = []
for (const [key, parent] of Object.entries(lock.packages)) {
  if (key === "") continue
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const place = `node_modules/${name}`
    if (lock.packages[`${key}/${place}`] !== undefined || lock.packages[place] !== undefined) continue
    const [, os, rest = ""] = systems.exec(name) ?? []
    const cpu = processors.exec(rest)?.[1]
    if (os === undefined || cpu === undefined) throw new Error(`${name}, wanted by ${key}, names no platform`)
    const libc = os !== "linux" ? undefined : rest.includes("musl") ? ["musl"] : ["glibc"]
    lock.packages[place] = {
      version,
      cpu: [cpu],
      ...(parent.dev === true ? { dev: true } : {}),
      ...(libc === undefined ? {} : { libc }),
      optional: true,
      os: [os]
    }
    added.push(`${name}@${version}`)
  }
}

lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a < b ? -1 : 1))
let isPacked = false
for (const entry of Object.values(lock.packages)) {
  if (!/^file:.*\.tgz$/.test(entry.resolved ?? "") || entry.integrity === undefined) continue
  delete entry.integrity
  isPacked = true
}

if (added.length > 0 || isPacked) writeFileSync(path, JSON.stringify(lock, null, 2) + "\n")
console.log(added.length === 0 ? "the lock file is complete" : `added\n  ${added.join("\n  ")}`)
