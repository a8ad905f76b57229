/** Secrets stay in: what looks like one is replaced before a span reaches a queue, a file or a wire. */
import * as Effect from "effect/Effect"
import * as Diagnostics from "../diagnostics/Diagnostics.ts"
import type { Pattern } from "../internal/pattern.ts"
import { makeRedactor, type Redactor } from "../internal/redactor.ts"
import type { ValueRule as InternalValueRule } from "../internal/valueRule.ts"
import type { ReadableSpan, SpanEvent } from "../model/ReadableSpan.ts"
import * as SpanProcessor from "./SpanProcessor.ts"

/**
 * Which attribute keys: equal to a string, or with a `prefix`, a `suffix`, or the shape of a `glob` (`*` stands for any
 * run). Case does not matter.
 */
export type KeyPattern = Pattern

/**
 * What is secret inside a text.
 *
 * **Details**
 *
 * - `{ literal }`: this text, wherever it stands.
 * - `{ prefix, minLength }`: a token (letters, digits, `._~+/=-`) that begins with `prefix` and has at least `minLength`
 *   characters (default: one more than the prefix), as in `{ prefix: "acme_", minLength: 20 }`.
 * - a `RegExp`: each match. It runs on the first 4,096 characters of a value; what follows is masked. A pattern that
 *   takes over 100 ms on one value three times is not run again, and from then on masks every value whole. Flags `g`
 *   and `y` make no difference.
 * - a function from the text and the key it belongs to (`""` for a name or a status) to the text to keep.
 *
 * **Gotchas**
 *
 * A rule fails closed: where a function throws or gives no string, the whole value is masked, and the failure is counted
 * in diagnostics under `processor.redact`. A regular expression cannot be interrupted: avoid nested quantifiers.
 */
export type ValueRule = InternalValueRule

/** The query parameters whose values are hidden unless {@link Options.queryParameters} names others. */
export const defaultQueryParameters: ReadonlyArray<string> = [
  // `semconv: url.full`.
  "AWSAccessKeyId",
  "Signature",
  "sig",
  "X-Goog-Signature",
  // The other halves of the same signed URLs.
  "X-Amz-Signature",
  "X-Amz-Credential",
  "X-Amz-Security-Token",
  "X-Goog-Credential"
]

/** What is hidden. */
export interface Options {
  /** What stands in a secret's place. Default `"REDACTED"`, the word of the semantic conventions. */
  readonly mask?: string | undefined
  /**
   * Hide the well-known secrets. Default `true`.
   *
   * **Details**
   *
   * By key, in whole words and whatever the spelling (`x-api-key`, `apiKey`, `api_key`): authorization, cookie, password,
   * passwd, pwd, passphrase, secret, token, jwt, credential, session, csrf, api key, private key, access key and their
   * like. A key that only speaks about a secret is kept: `token.count`, `llm.usage.total_tokens`, `cookie.domain`,
   * `aws.secretsmanager.secret.arn`, `session.id`.
   *
   * Inside text: the same words before `=` or `:`, as in `password=…` or `"apiKey": "…"`; `Bearer …` and `Basic …`;
   * JSON web tokens, PEM private keys and tokens with a vendor's prefix (AWS, GitHub, GitLab, Google, Slack, Stripe).
   */
  readonly wellKnown?: boolean | undefined
  /** Further keys whose values are hidden. */
  readonly keys?: ReadonlyArray<KeyPattern> | undefined
  /** Keys whose values are never hidden because of the key; their text is still searched. */
  readonly allowedKeys?: ReadonlyArray<KeyPattern> | undefined
  /** Further secrets inside text. */
  readonly values?: ReadonlyArray<ValueRule> | undefined
  /** Hide user names and passwords in URLs, and the values of `queryParameters`. Default `true`. */
  readonly urls?: boolean | undefined
  /**
   * Query parameters whose values are hidden, by exact name; `"all"` for every one. Default
   * {@link defaultQueryParameters}. Parameters whose name is a secret key are hidden in any case.
   */
  readonly queryParameters?: "all" | ReadonlyArray<string> | undefined
}

/**
 * A processor that replaces secrets in a span: in its name, its status message, and its attributes, events and links,
 * nested maps and arrays included.
 *
 * **Details**
 *
 * A value whose key is secret becomes the mask, a list of values a list of one mask; booleans and nulls stay. Text is
 * searched only where it has one of the signs that announce a secret (`:`, `=`, `Bearer`, a vendor's prefix). The span
 * is changed in place and always goes on. It follows the semantic conventions for `url.full` and `url.query`.
 *
 * **Gotchas**
 *
 * It sees what it is given: the resource is not searched, a secret in an unremarkable attribute of unremarkable form
 * stays, and so does the rest of a secret that an attribute limit cut apart. Put it before the processors that export.
 */
export const make = (options?: Options): Effect.Effect<SpanProcessor.SpanProcessorShape> =>
  Effect.map(Effect.service(Diagnostics.Diagnostics), (diagnostics) => makeUnsafe(diagnostics, options))

/** The redactor that the options describe; what goes wrong with a rule is told under `processor.redact`. */
export const redactorOf = (diagnostics: Diagnostics.Diagnostics, options: Options | undefined): Redactor =>
  makeRedactor(
    {
      mask: options?.mask ?? "REDACTED",
      wellKnown: options?.wellKnown ?? true,
      keys: options?.keys ?? [],
      allowedKeys: options?.allowedKeys ?? [],
      values: options?.values ?? [],
      urls: options?.urls ?? true,
      queryParameters: options?.queryParameters ?? defaultQueryParameters
    },
    (message) => diagnostics.report("error", "processor.redact", message)
  )

/** Like {@link make}, with the diagnostics given. */
export const makeUnsafe = (
  diagnostics: Diagnostics.Diagnostics,
  options?: Options
): SpanProcessor.SpanProcessorShape => {
  const redactor = redactorOf(diagnostics, options)
  return SpanProcessor.make({
    name: "redact",
    keepsSpans: false,
    onEnd(span, next) {
      try {
        redactSpan(span, redactor)
      } catch {
        diagnostics.report(
          "error",
          "processor.redact",
          "a span could not be searched for secrets; its content was removed"
        )
        removeContent(span, options?.mask ?? "REDACTED")
      }
      next.emit(span)
    }
  })
}

const removeContent = (span: ReadableSpan, mask: string): void => {
  span.name = mask
  span.statusMessage = ""
  span.droppedAttributesCount += span.attributeList.length >> 1
  span.droppedEventsCount += span.eventList.length
  span.droppedLinksCount += span.linkList.length
  for (const list of [span.attributeList, span.eventList, span.linkList]) {
    if (list.length > 0) list.length = 0
  }
}

const redactSpan = (span: ReadableSpan, redactor: Redactor): void => {
  const name = redactor.name(span.name)
  if (name !== span.name) span.name = name
  if (span.statusMessage !== "") span.statusMessage = redactor.text(span.statusMessage, "")
  redactor.list(span.attributeList)
  const events = span.eventList
  for (let i = 0; i < events.length; i++) {
    const event: SpanEvent = events[i]!
    const name = redactor.text(event.name, "")
    if (name !== event.name) events[i] = { ...event, name }
    redactor.list(event.attributes)
  }
  const links = span.linkList
  for (let i = 0; i < links.length; i++) redactor.list(links[i]!.attributes)
}
