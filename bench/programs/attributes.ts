/**
 * The spans of one request of a small shop: a parent and three children, four attributes each. Some values repeat from
 * request to request (method, route), some never do (ids, totals), as in a real service.
 */

/** How many spans one request makes. */
export const spansPerRequest = 4

export type SpanAttributes = Record<string, string | number | boolean>

const methods = ["GET", "POST", "PUT"] as const
const routes = ["/orders/:id", "/carts/:id/items", "/products/search", "/users/:id/addresses"] as const
const tables = ["orders", "carts", "products", "users"] as const

export const requestAttributes = (i: number): SpanAttributes => ({
  "http.request.method": methods[i % 3]!,
  "http.route": routes[i & 3]!,
  "url.path": `/orders/${1_000_000 + i}`,
  "http.response.status_code": 200
})

export const cartAttributes = (i: number): SpanAttributes => ({
  "cart.id": `cart-${(Math.imul(i, 2_654_435_761) >>> 0).toString(36)}`,
  "cart.items": i % 17,
  "cart.total": 12.5 + i / 8,
  "cache.hit": i % 3 === 0
})

export const queryAttributes = (i: number): SpanAttributes => ({
  "db.system.name": "postgresql",
  "db.operation.name": "SELECT",
  "db.query.text": `SELECT * FROM ${tables[i & 3]!} WHERE id = $1 LIMIT 10`,
  "db.response.returned_rows": i % 10
})

export const renderAttributes = (i: number): SpanAttributes => ({
  "template.name": "order.html",
  "template.bytes": 2_000 + i % 4_096,
  "user.id": `user-${(i * 7_919 % 100_003).toString(36)}`,
  "user.premium": i % 5 === 0
})
