/**
 * A Node built-in module, or `undefined` where the runtime has none (browser, edge). Nothing is imported statically, so
 * a bundle for such a runtime resolves without shims.
 */
export const nodeBuiltin = <Module>(name: string): Module | undefined => {
  const host = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process
  try {
    return host?.getBuiltinModule?.(`node:${name}`) as Module | undefined
  } catch {
    return undefined
  }
}
