/** The principals of the directory in memory, found by id, by identity, and by what people call them. */
import type { KnownPrincipal } from './directory.ts'

export class Known {
  readonly #byId = new Map<string, KnownPrincipal>()
  /** By issuer, then subject: no text put together of both could be that of another pair. */
  readonly #byIssuer = new Map<string, Map<string, KnownPrincipal>>()
  /** Those whose access has an end, by id. */
  readonly #ending = new Map<string, KnownPrincipal>()

  /** Takes the place of whatever had the same id. */
  put(known: KnownPrincipal): void {
    this.#byId.set(known.id, known)
    const bySubject = this.#byIssuer.get(known.issuer) ?? new Map<string, KnownPrincipal>()
    this.#byIssuer.set(known.issuer, bySubject)
    bySubject.set(known.subject, known)
    if (known.endsMs === undefined) this.#ending.delete(known.id)
    else this.#ending.set(known.id, known)
  }

  byId(id: string): KnownPrincipal | undefined {
    return this.#byId.get(id)
  }

  find(issuer: string, subject: string): KnownPrincipal | undefined {
    return this.#byIssuer.get(issuer)?.get(subject)
  }

  /** In the order in which they became known. */
  all(): readonly KnownPrincipal[] {
    return [...this.#byId.values()]
  }

  hasEnding(): boolean {
    return this.#ending.size > 0
  }

  ending(): Iterable<KnownPrincipal> {
    return this.#ending.values()
  }

  /** By id, subject, `issuer subject`, or name or e-mail in any case; exactly, never a part. */
  search(text: string): readonly KnownPrincipal[] {
    const folded = text.toLowerCase()
    return this.all().filter(({ email, id, issuer, name, subject }) => {
      const isExact = [id, subject, `${issuer} ${subject}`].includes(text)
      return isExact || name?.toLowerCase() === folded || email?.toLowerCase() === folded
    })
  }
}
