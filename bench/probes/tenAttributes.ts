/** Ten attributes of a request; some repeat, some never do. */
export const tenAttributes = (i: number) => ({
  "http.request.method": "GET",
  "http.route": "/orders/:id",
  "url.path": `/orders/${1_000_000 + i}`,
  "http.response.status_code": i % 11 === 0 ? 404 : 200,
  "server.address": "shop.example.com",
  "server.port": 8443,
  "user.id": `user-${(i * 7_919 % 100_003).toString(36)}`,
  "cache.hit": i % 3 === 0,
  "order.total": 12.5 + i / 7,
  "db.query.text": `SELECT * FROM orders WHERE id = $1 LIMIT ${i % 10}`
})
