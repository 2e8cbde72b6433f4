/** What a call is about, as it stands in an entry. */
import type { Masked } from '../mask/masked.ts'
import { canonicalize } from '../tlog/canonical.ts'
import type { RecordedFacts } from './entry.ts'

const texts = new WeakMap<Masked<RecordedFacts>, string>()

/** Canonical JSON. The facts of a statement that comes again are the same object, and written once. */
export function factsText(facts: Masked<RecordedFacts>): string {
  const known = texts.get(facts)
  if (known !== undefined) return known
  const text = canonicalize(facts.value)
  texts.set(facts, text)
  return text
}
