/** How many spans a request body holds. Protobuf is walked, not decoded: only the lengths of messages are read. */

class Reader {
  position: number
  readonly end: number
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array, position: number, end: number) {
    this.bytes = bytes
    this.position = position
    this.end = end
  }

  varint(): number {
    let value = 0
    for (let factor = 1;; factor *= 128) {
      if (this.position >= this.end) throw new Error("the body is cut short")
      const byte = this.bytes[this.position++]!
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }

  skip(count: number): void {
    this.position += count
    if (this.position > this.end) throw new Error("the body is cut short")
  }
}

const eachMessage = (reader: Reader, field: number, visit: (inner: Reader) => void): void => {
  while (reader.position < reader.end) {
    const tag = reader.varint()
    switch (tag & 7) {
      case 0:
        reader.varint()
        break
      case 1:
        reader.skip(8)
        break
      case 5:
        reader.skip(4)
        break
      case 2: {
        const length = reader.varint()
        const start = reader.position
        reader.skip(length)
        if (tag >>> 3 === field) visit(new Reader(reader.bytes, start, start + length))
        break
      }
      default:
        throw new Error(`no such wire type: ${tag & 7}`)
    }
  }
}

// trace_service.proto and trace.proto: the numbers of `resource_spans`, `scope_spans` and `spans`.
const protobuf = (body: Uint8Array): number => {
  let spans = 0
  eachMessage(
    new Reader(body, 0, body.length),
    1,
    (resourceSpans) =>
      eachMessage(resourceSpans, 2, (scopeSpans) =>
        eachMessage(scopeSpans, 2, () => {
          spans++
        }))
  )
  return spans
}

interface JsonBody {
  readonly resourceSpans: ReadonlyArray<
    { readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<unknown> }> }
  >
}

const json = (body: Buffer): number => {
  let spans = 0
  for (const resource of (JSON.parse(body.toString("utf8")) as JsonBody).resourceSpans) {
    for (const scope of resource.scopeSpans) spans += scope.spans.length
  }
  return spans
}

export const countSpans = (body: Buffer, contentType: string): number => {
  if (contentType.startsWith("application/json")) return json(body)
  if (contentType.startsWith("application/x-protobuf")) return protobuf(body)
  throw new Error(`no OTLP content type: ${contentType}`)
}
