import type { AsyncLocalStorage } from "node:async_hooks"
import { nodeBuiltin } from "./nodeBuiltin.ts"

/**
 * Runs functions in the asynchronous context of this call, whoever calls later. What is started on behalf of many
 * callers must neither see nor keep alive the async-local values of the one that happened to be last.
 */
export const asyncScope = (): <A>(f: () => A) => A =>
  nodeBuiltin<{ readonly AsyncLocalStorage: typeof AsyncLocalStorage }>("async_hooks")?.AsyncLocalStorage
    .snapshot?.() ??
    ((f) => f())
