/** An explained token for people: the steps as findings, then who it is and what they may. */
import { randomBytes } from 'node:crypto'
import type { CheckedConfig } from '../config/config.ts'
import type { Principal } from '../identity/principal.ts'
import { createMasker } from '../mask/masker.ts'
import { accessLines } from './access-lines.ts'
import type { Finding } from './live-look.ts'
import type { ExplainedToken } from './live-token.ts'
import { listed, said } from './live-token-words.ts'
import { momentText } from './people-desk.ts'

/** @param checked tells the places. */
export function findingsOf(
  { principal, steps }: Pick<ExplainedToken, 'principal' | 'steps'>,
  checked: Pick<CheckedConfig, 'place'>,
): Finding[] {
  return steps.map(({ message, path, verdict, what }) => {
    // The gateway has the last word: what it lets in is at most doubtful.
    const isGood = verdict !== 'wrong' || principal !== undefined
    const isDoubtful = isGood && verdict !== 'ok'
    const place = path === undefined ? {} : checked.place(path)
    return { what, isGood, ...(isDoubtful ? { isDoubtful } : {}), message, ...place }
  })
}

const masker = createMasker({ sealKey: randomBytes(32) })

/** Without its claims, words masked. */
export function shownPrincipal(principal: Principal): object {
  return masker.words({ ...principal, claims: undefined }).value
}

/** Empty where the gateway does not let it in. */
export function tokenLines({ access = [], consoleRoles = [], principal }: ExplainedToken): string {
  if (principal === undefined) return ''
  const { clientId, expiresAtMs, groups, issuer, kind, name, owner, roles, subject } = principal
  const rows: [string, string | undefined][] = [
    ['issuer', issuer],
    ['subject', said(subject)],
    ['kind', kind],
    ['name', name === undefined ? undefined : said(name)],
    ['client', clientId === undefined ? undefined : said(clientId)],
    ['groups', listed(groups)],
    ['roles', listed(roles)],
    ['owner', owner],
    ['until', momentText(expiresAtMs)],
    ['console', consoleRoles.join(', ') || 'no role'],
  ]
  const about = rows.flatMap(([key, value]) =>
    value === undefined ? [] : [`  ${key.padEnd(8)} ${value}\n`],
  )
  const title = { who: 'What the grants say of it', ip: '', nowMs: Date.now() }
  const lines = accessLines(access, title, { isAll: true, format: 'text' })
  return ['\nThe gateway sees\n', ...about, '\n', ...lines].join('')
}
