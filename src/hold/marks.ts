/**
 * By what one person is known in two accounts: object id, e-mail, sign-in name, and who answers for
 * an account. Two who share a mark count as one. A mark that somebody could give themselves only
 * ever shuts out: it never gives a right.
 */
import type { KnownPrincipal } from '../identity/directory.ts'

/** What is known of an account. */
export interface Account {
  readonly issuer: string
  readonly subject: string
  /** Id in the directory of who answers for it. */
  readonly owner?: string | undefined
  readonly email?: string | undefined
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}

const names = ['preferred_username', 'upn', 'unique_name', 'email', 'mail'] as const
const mailForm = /^[^\s@]+@[^\s@]+\.[^\s@]+$/

/**
 * @param account as it asked, or as the directory has it.
 * @param known its entry of the directory, if it has one.
 */
export function marksOf(account: Account, known?: KnownPrincipal): string[] {
  const marks = new Set<string>()
  for (const { claims = {}, email, issuer, owner, subject } of known
    ? [account, known]
    : [account]) {
    marks.add(`account ${issuer}\n${subject}`)
    if (owner !== undefined) marks.add(`person ${owner}`)
    const { oid, tid } = claims
    if (typeof oid === 'string')
      marks.add(`object ${typeof tid === 'string' ? tid : issuer}\n${oid}`)
    for (const name of [email, subject, ...names.map((each) => claims[each])]) {
      if (typeof name !== 'string' || name === '') continue
      const folded = name.normalize('NFKC').trim().toLowerCase()
      // An address is one person's wherever it is shown; other names are their issuer's.
      if (mailForm.test(folded)) marks.add(`mail ${folded}`)
      else if (name !== subject) marks.add(`name ${issuer}\n${folded}`)
    }
  }
  if (known !== undefined) marks.add(`person ${known.id}`)
  return [...marks]
}

export function shareMark(a: readonly string[], b: readonly string[]): boolean {
  return a.some((mark) => b.includes(mark))
}
