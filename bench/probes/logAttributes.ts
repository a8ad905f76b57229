/** What a program says of one order: three values of its own, two that repeat. */
export const logBody = "order accepted"
export const logAttributes = (i: number) => ({
  "order.id": i,
  "customer.id": `c-${i % 500}`,
  "payment.method": i % 3 === 0 ? "card" : "invoice",
  "cart.items": i % 7,
  "express": i % 2 === 0
})
