/** Tokens which a platform or an agent puts into a file for this process. */
import { readFileSync } from 'node:fs'
import type { Blame } from './trouble.ts'

/** The environment, as the process was given it. */
export type Env = Readonly<Record<string, string | undefined>>

const bytesMax = 64 * 1_024

/**
 * The token without its outer blanks. The mode of the file is the platform's, often 0644 within the
 * container, so it is not looked at. Such tokens are short-lived: read them each time.
 * @param name the variable that names the file. @param usual its path where the variable is not set.
 * @throws {Fault} blamed on `settings`, naming the variable alone.
 */
export function readTokenFile(env: Env, name: string, blame: Blame, usual?: string): string {
  const path = env[name] ?? usual
  const text = path === undefined ? '' : readSmall(path)
  if (/^[\x21-\x7e]+$/.test(text)) return text
  throw blame('settings', `the file of ${name} cannot be read or holds no token`)
}

function readSmall(path: string): string {
  try {
    const bytes = readFileSync(path)
    return bytes.length <= bytesMax ? bytes.toString('latin1').trim() : ''
  } catch {
    return '' // Said by the caller, who knows the setting.
  }
}
