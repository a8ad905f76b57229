/** Whether two types are the same, `any` and modifiers included. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false

/** Compiles for `true` only. */
export const expectTrue = <_ extends true>(): void => {}

/** Something to sell. */
export interface Order {
  readonly id: number
}

/** Someone to be `this`. */
export class Shop {
  readonly currency: string = "EUR"
}
