/** What the types of `traced` as a decorator promise. Checked by the compiler, never run; test/promise has one that runs. */
import { getTracer, traced, Tracer } from "../../src/promise/index.ts"
import { type Equal, expectTrue, type Order } from "./support.ts"

const cart = getTracer("cart")
const own = new Tracer("svc")

abstract class Base {
  abstract find(id: number): Promise<Order>
}

class Orders extends Base {
  readonly #kept = new Map<number, Order>()

  @traced()
  override async find(id: number): Promise<Order> {
    return this.get(id) ?? await this.#load(id)
  }

  @traced
  get<A extends number>(id: A): Order | undefined {
    return this.#kept.get(id)
  }

  @traced("load")
  async #load(id: number): Promise<Order> {
    return { id }
  }

  @traced("list", { kind: "server", attributes: (from: number, to?: number) => ({ from, to }) })
  *list(from: number, to?: number): Generator<Order, void, undefined> {
    for (let id = from; id < (to ?? from); id++) yield { id }
  }

  @traced({ attributes: (from: number) => ({ from }) })
  async *pages(from: number, size: number): AsyncGenerator<ReadonlyArray<Order>> {
    yield [{ id: from + size }]
  }

  @traced({ attributes: (...args: ReadonlyArray<unknown>) => ({ count: args.length }) })
  static of(...orders: ReadonlyArray<Order>): Orders {
    return orders.length === 0 ? new Orders() : new this()
  }

  @cart.traced("count")
  count(this: Orders): number {
    return this.#kept.size
  }

  @own.traced({ attributes: { fixed: true } })
  close(): void {}

  // @ts-expect-error the method takes a number
  @traced({ attributes: (id: string) => ({ id }) })
  byId(id: number): Order {
    return { id }
  }

  // @ts-expect-error the second argument may be missing
  @traced({ attributes: (id: number, note: string) => ({ id, note: note.length }) })
  byNote(id: number, _note?: string): Order {
    return { id }
  }

  // @ts-expect-error a field is no method
  @traced()
  field = (): number => 1

  // @ts-expect-error a getter is no method
  @traced()
  get total(): number {
    return this.#kept.size
  }

  // @ts-expect-error an accessor is no method
  @traced("accessor")
  accessor size = 1
}

// @ts-expect-error a class is no method
@traced()
class Whole {}

expectTrue<Equal<Orders["find"], (id: number) => Promise<Order>>>()
expectTrue<Equal<Orders["list"], (from: number, to?: number) => Generator<Order, void, undefined>>>()
export { Orders, Whole }
