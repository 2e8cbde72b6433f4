/**
 * A webhook of one's own: JSON, signed as Standard Webhooks 1.0 says. The receiver computes
 * HMAC-SHA256 over `id.timestamp.body` and refuses what is older than five minutes.
 */
import { createHmac } from 'node:crypto'
import { Fault } from '../base/fault.ts'
import type { Message } from './message.ts'

export function webhookBody({ atMs, data, type }: Message): string {
  return JSON.stringify({ type, timestamp: new Date(atMs).toISOString(), data })
}

const prefix = 'whsec_'
/** Standard Webhooks 1.0, Signature scheme: 192 to 512 bits. */
const bytesMin = 24
const bytesMax = 64

/**
 * The key behind a configured secret: the bytes behind `whsec_` in base64, or else the text's own.
 * @throws {Fault} `config_bad` where it is shorter than 24 bytes, or `whsec_` with no base64 behind.
 */
export function webhookKey(secret: string, where: string): Buffer {
  const isCoded = secret.startsWith(prefix)
  const coded = secret.slice(prefix.length)
  const key = isCoded ? Buffer.from(coded, 'base64') : Buffer.from(secret)
  const isWhole = !isCoded || /^[A-Za-z0-9+/]+={0,2}$/.test(coded)
  if (isWhole && key.length >= bytesMin && (!isCoded || key.length <= bytesMax)) return key
  const what = `The secret of ${where} cannot sign: it must be ${prefix} and ${bytesMin} to ${bytesMax} random bytes in base64`
  throw new Fault('config_bad', `${what} ("${prefix}$(openssl rand -base64 32)").`)
}

/** @param nowMs of this try: a receiver refuses what seems to be sent again later. */
export function webhookHeaders(
  id: string,
  body: string,
  key: Uint8Array,
  nowMs: number,
): Record<string, string> {
  const seconds = String(Math.floor(nowMs / 1000))
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
  return {
    'webhook-id': id,
    'webhook-timestamp': seconds,
    'webhook-signature': `v1,${signature}`,
  }
}
