/** Reads a token that somebody wants explained: from a file or standard input, never an argument. */
import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { Fault } from '../base/fault.ts'
import { isRecord } from '../identity/claims.ts'
import { codeOf } from './live-look.ts'

const bytesMax = 64 * 1024

/**
 * The token of a file, or of `-` for standard input: alone, after `Bearer`, or as `access_token` of a
 * token endpoint's answer (`accessToken`, as the command line of Azure writes it).
 * @throws {Fault} `bad_request` for an argument that is itself a token, or what cannot be read; the
 *   message holds neither.
 */
export async function readTokenFrom(file: string, input: Readable): Promise<string> {
  if (/^(eyJ|sp_|Bearer )/.test(file)) throw new Fault('bad_request', argumentGiven)
  const text = (file === '-' ? await readAll(input) : readWhole(file)).trim()
  const token = (text.startsWith('{') ? tokenIn(text) : text).replace(/^Bearer\s+/i, '').trim()
  if (token === '') throw new Fault('bad_request', 'No token stands there.')
  return token
}

const argumentGiven =
  '--token takes a file, or - for standard input. A token on the command line stands in the history of the shell and in the list of processes: treat this one as lost.'
const tooLarge = 'This is larger than 64 KiB, which no token is.'

function readWhole(file: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    const message = `The file of --token cannot be read (${codeOf(cause)}).`
    throw new Fault('bad_request', message, { cause })
  }
  if (bytes.length > bytesMax) throw new Fault('bad_request', tooLarge)
  return bytes.toString('utf8')
}

async function readAll(input: Readable): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  const chunks: AsyncIterable<string | Buffer> = input
  for await (const chunk of chunks) {
    const part = Buffer.from(chunk)
    size += part.length
    if (size > bytesMax) throw new Fault('bad_request', tooLarge)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function tokenIn(text: string): string {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    return '' // Told as no token: the library's words would quote it.
  }
  if (!isRecord(answer)) return ''
  const token = answer['access_token'] ?? answer['accessToken']
  return typeof token === 'string' ? token : ''
}
