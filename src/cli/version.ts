import { readFileSync } from 'node:fs'

/** The version in `package.json`. */
export const version: string = readVersion()

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const parsed: unknown = JSON.parse(text)
  const known = typeof parsed === 'object' && parsed !== null && 'version' in parsed
  return known && typeof parsed.version === 'string' ? parsed.version : '0.0.0'
}
