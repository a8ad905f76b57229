/** Baggage of both kinds. Metadata of an entry is text there, and properties here. */
import * as Baggage from "../model/Baggage.ts"
import type * as Api from "./api.ts"

// The API asks metadata for this mark when it writes a header.
const metadataType = Symbol("BaggageEntryMetadata")

/** An immutable map that the API takes for its own. */
class OtelBaggage implements Api.Baggage {
  readonly entries: ReadonlyMap<string, Api.BaggageEntry>

  constructor(entries: ReadonlyMap<string, Api.BaggageEntry>) {
    this.entries = entries
  }

  getEntry(key: string): Api.BaggageEntry | undefined {
    const entry = this.entries.get(key)
    return entry === undefined ? undefined : { ...entry }
  }

  getAllEntries(): Array<[string, Api.BaggageEntry]> {
    return [...this.entries]
  }

  setEntry(key: string, entry: Api.BaggageEntry): Api.Baggage {
    return new OtelBaggage(new Map(this.entries).set(key, entry))
  }

  removeEntry(key: string): Api.Baggage {
    return this.removeEntries(key)
  }

  removeEntries(...keys: Array<string>): Api.Baggage {
    const entries = new Map(this.entries)
    for (const key of keys) entries.delete(key)
    return new OtelBaggage(entries)
  }

  clear(): Api.Baggage {
    return new OtelBaggage(new Map())
  }
}

export const toOtel = (baggage: Baggage.Baggage): Api.Baggage =>
  new OtelBaggage(
    new Map(
      [...baggage].map(([key, { properties, value }]) => {
        const text = properties.map((each) => each.value === undefined ? each.key : `${each.key}=${each.value}`).join(
          ";"
        )
        return [key, text === "" ? { value } : { value, metadata: { __TYPE__: metadataType, toString: () => text } }]
      })
    )
  )

export const fromOtel = (baggage: Api.Baggage): Baggage.Baggage =>
  Baggage.make(Object.fromEntries(
    baggage.getAllEntries().map(([key, { metadata, value }]) => [
      key,
      { value: String(value), properties: metadata === undefined ? [] : propertiesOf(String(metadata)) }
    ])
  ))

const propertiesOf = (text: string): ReadonlyArray<Baggage.BaggageProperty> =>
  text.split(";").map((each) => each.trim()).filter((each) => each !== "").map((each) => {
    const equals = each.indexOf("=")
    return equals < 0 ? { key: each } : { key: each.slice(0, equals).trim(), value: each.slice(equals + 1).trim() }
  })
