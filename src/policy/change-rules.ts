/** What changed between two policies (rules, profiles, holds), in words for the record. */
import { wordPieces } from './change.ts'
import type { AccessChange } from './change.ts'
import type { RulesConfig } from './rules.ts'
import { whoWords } from './who.ts'

/** A policy as texts: what each of its parts says, by the part's name. */
export type PolicyWords = Readonly<Record<string, Readonly<Record<string, string>>>>

/** @returns every rule, profile, connection and term of a policy in words; the same words, the same policy. */
export function policyWords({
  connections,
  holds,
  rules,
}: Omit<RulesConfig, 'decisionPoint'>): PolicyWords {
  const words: Record<string, Record<string, string>> = { holds: holdWords(holds) }
  for (const rule of rules) words[`rule ${rule.name}`] = ruleWords(rule)
  for (const { name, profile } of connections) {
    words[`connection ${name}`] = { profile: profile.name }
    if (profile.name === 'none') continue
    const { answers, exposureDays, otherwise, suspicious } = profile
    words[`profile ${profile.name}`] = plain({
      otherwise,
      suspicious,
      exposureDays,
      answers: `${answers.inspect}, withheld ${answers.withhold}`,
    })
    for (const rule of profile.rules) {
      words[`profile ${profile.name} rule ${rule.name}`] = ruleWords(rule)
    }
  }
  return words
}

type AnyRule = RulesConfig['rules'][number]

function ruleWords({
  limit,
  name: _name,
  place: _place,
  reviewers,
  ...rule
}: AnyRule): Record<string, string> {
  const said = { ...plain(rule), ...(limit && plain(limit)) }
  if (reviewers === undefined) return said
  const all = reviewers.map(
    ({ quorum, who }) =>
      `${quorum} of ${Object.keys(who).length === 0 ? 'any approver' : whoWords(who)}`,
  )
  return { ...said, reviewers: all.join('; ') }
}

function holdWords({ emergency, ...holds }: RulesConfig['holds']): Record<string, string> {
  return { ...plain(holds), ...(emergency && { emergency: whoWords(emergency) }) }
}

function plain(of: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(of).map(([key, value]): [string, string] => {
      const text = typeof value === 'string' ? value.replace(/\s+/g, ' ').trim() : undefined
      return [spelled(key), text ?? JSON.stringify(value)]
    }),
  )
}

/** As the file spells it, times in milliseconds: `expiresMs` is `expires_ms`. */
function spelled(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** Parts are the same by their names. */
export function describePolicyChange(before: PolicyWords, after: PolicyWords): AccessChange {
  const added: string[] = []
  const changed: string[] = []
  for (const [name, now] of Object.entries(after)) {
    const was = before[name]
    if (was === undefined) added.push(...wordPieces(name, said(now)))
    else changed.push(...wordPieces(name, differences(was, now)))
  }
  const gone = Object.entries(before).filter(([name]) => !Object.hasOwn(after, name))
  return { added, changed, removed: gone.flatMap(([name, was]) => wordPieces(name, said(was))) }
}

function said(of: Readonly<Record<string, string>>): string[] {
  return Object.entries(of).map(([part, text]) => `${part} ${text}`)
}

function differences(
  was: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): string[] {
  const parts = [...new Set([...Object.keys(was), ...Object.keys(now)])]
  return parts.flatMap((part) => {
    const [old, fresh] = [was[part] ?? 'none', now[part] ?? 'none']
    return old === fresh ? [] : [`${part}: ${old} -> ${fresh}`]
  })
}
