/** Whom a call is judged as, from options: a subject with groups and roles, or the claims of a token. */
import { readFileSync } from 'node:fs'
import { Fault } from '../base/fault.ts'
import type { CallFacts } from '../policy/verdict.ts'
import { isObject } from '../record/unfinished.ts'

export interface PrincipalOptions {
  readonly as?: string | undefined
  readonly group?: readonly string[] | undefined
  readonly role?: readonly string[] | undefined
  /** A file with the claims of a token, as JSON. */
  readonly claims?: string | undefined
}

/** @throws {Fault} `config_bad` for a file of claims that is none. */
export function principalOf(options: PrincipalOptions): CallFacts['principal'] {
  const { as, group = [], role = [] } = options
  const claims = options.claims === undefined ? {} : claimsIn(options.claims)
  const text = (...names: readonly string[]): string | undefined => {
    const found = names.map((name) => claims[name]).find((value) => typeof value === 'string')
    return typeof found === 'string' ? found : undefined
  }
  const words = (name: string): string[] => {
    const value = claims[name]
    const list: readonly unknown[] = Array.isArray(value) ? value : []
    return list.filter((one) => typeof one === 'string')
  }
  const [name, clientId] = [text('name'), text('azp', 'client_id', 'appid')]
  return {
    issuer: text('iss') ?? '',
    subject: as ?? text('sub') ?? 'somebody',
    kind: 'person',
    groups: [...words('groups'), ...group],
    roles: [...words('roles'), ...role],
    claims,
    ...(name === undefined ? {} : { name }),
    ...(clientId === undefined ? {} : { clientId }),
  }
}

function claimsIn(file: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (isObject(value)) return value
  } catch (cause) {
    const message = `${file} cannot be read as JSON; --claims takes the claims of a token as one object.`
    throw new Fault('config_bad', message, { cause })
  }
  throw new Fault(
    'config_bad',
    `${file} holds no JSON object; --claims takes the claims of a token.`,
  )
}
