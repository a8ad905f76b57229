/** Names that frame a request or describe its body: the exporter's own, never configured. */
export const reservedHeaders: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

// RFC 9110 §5.5, as far as one byte for each character carries it: what `node:http` and `fetch` both accept.
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** Whether HTTP allows `value` as the value of a header. */
export const isFieldValue = (value: string): boolean => fieldValue.test(value)
