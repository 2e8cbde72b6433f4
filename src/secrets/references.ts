/** Finds the references in a configuration, whatever part of it they stand in. */
import type { SecretRef } from '../config/types.ts'

/** A reference, and the key of the configuration that names it. */
export interface NamedRef {
  readonly ref: SecretRef
  readonly where: string
}

const depthMax = 32

/**
 * @param part the configuration or a part of it: plain objects, arrays and scalars.
 * @param where its key, such as `connections[0]`; empty for the whole.
 */
export function secretRefsIn(part: unknown, where = ''): readonly NamedRef[] {
  const found: NamedRef[] = []
  walk(part, where, 0, found)
  return found
}

function walk(part: unknown, where: string, depth: number, found: NamedRef[]): void {
  if (typeof part !== 'object' || part === null || depth > depthMax) return
  if (isRef(part)) {
    found.push({ ref: part, where })
  } else if (Array.isArray(part)) {
    for (const [i, each] of part.entries()) walk(each, `${where}[${i}]`, depth + 1, found)
  } else {
    for (const [key, each] of Object.entries(part)) {
      walk(each, where === '' ? spelled(key) : `${where}.${spelled(key)}`, depth + 1, found)
    }
  }
}

/** As the file spells it: `clientSecret` is `client_secret` there. */
function spelled(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

const members = {
  env: ['name'],
  file: ['path'],
  keyvault: ['vault', 'name'],
  vault: ['path', 'key'],
}

function isRef(part: object): part is SecretRef {
  const from: unknown = Reflect.get(part, 'from')
  if (from !== 'env' && from !== 'file' && from !== 'keyvault' && from !== 'vault') return false
  return members[from].every((name) => typeof Reflect.get(part, name) === 'string')
}
