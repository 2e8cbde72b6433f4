import { hash } from 'node:crypto'

/** 48 bits of an exchange's id: a small key to find it by, never alone. */
export function exchangeKey(exchange: string): number {
  return Number.parseInt(hash('sha1', exchange, 'hex').slice(0, 12), 16)
}
