/** A search that reads everything: what the index must give back, said as plainly as can be. */
import { BlockList, isIP } from 'node:net'
import { beginItem, exchangeOf, fold, isLeftOut } from './fold.ts'
import type { Draft, IndexedEntry } from './fold.ts'
import type { Pattern, Query } from './query.ts'

/** All items of one writer's log, in the order of their first entries. */
export function itemsIn(
  entries: readonly IndexedEntry[],
  writer: string,
  withOutputs: boolean,
): Draft[] {
  const items: Draft[] = []
  const latest = new Map<string, Draft>()
  for (const entry of entries.filter((each) => !isLeftOut(each))) {
    const exchange = exchangeOf(entry)
    const known = exchange === undefined ? undefined : latest.get(exchange)
    const isSameMonth = known && monthIn(known) === entry.time.slice(0, 7)
    const draft = known && (isSameMonth || known.open > 0) ? known : beginItem(writer, entry)
    if (draft !== known) items.push(draft)
    if (exchange !== undefined) latest.set(exchange, draft)
    fold(draft, entry, withOutputs)
  }
  return items
}

function monthIn({ timeUs }: Draft): string {
  return new Date(timeUs / 1000).toISOString().slice(0, 7)
}

/** Whether an item fits, given all items, as a client is told by the session it opened. */
export function fitsQuery(query: Query, item: Draft, all: readonly Draft[]): boolean {
  switch (query.kind) {
    case 'all':
      return true
    case 'and':
      return query.of.every((part) => fitsQuery(part, item, all))
    case 'or':
      return query.of.some((part) => fitsQuery(part, item, all))
    case 'not':
      return !fitsQuery(query.of, item, all)
    case 'text':
      return [item.command, item.output].some((text) => says(text, query.text, query.isPrefix))
    case 'word':
      return query.any.some((pattern) => fitsWord(query.field, pattern, item, all))
    case 'compare': {
      const value = { duration: item.durationUs, bytes: item.bytes, masked: item.masked }[
        query.field
      ]
      if (value === undefined) return false
      const order = Math.sign(value - query.value)
      return {
        '>': order > 0,
        '>=': order >= 0,
        '<': order < 0,
        '<=': order <= 0,
        '=': order === 0,
      }[query.order]
    }
    case 'from':
      return item.timeUs >= query.us
    case 'until':
      return item.timeUs < query.us
    case 'card':
      return false // Asked for by tests of its own.
    default:
      return query satisfies never
  }
}

function tokens(text: string): string[] {
  const plain = text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
  return plain.match(/[\p{L}\p{N}]+/gu) ?? []
}

function says(text: string, phrase: string, isPrefix: boolean): boolean {
  const [all, wanted] = [tokens(text), tokens(phrase)]
  return all.some((_, i) =>
    wanted.every((word, j) => {
      const token = all[i + j] ?? ''
      return isPrefix && j === wanted.length - 1 ? token.startsWith(word) : token === word
    }),
  )
}

function fitsWord(
  field: Extract<Query, { kind: 'word' }>['field'],
  pattern: Pattern,
  item: Draft,
  all: readonly Draft[],
): boolean {
  const fits = (text: string | undefined): boolean => text !== undefined && like(pattern, text)
  switch (field) {
    case 'principal': {
      const { issuer, name, subject } = item.principal ?? {}
      return [issuer, name, subject, ...item.people].some(fits)
    }
    case 'of':
      return [...item.of].some(fits)
    case 'type':
      return [...item.types].some(fits)
    case 'table':
      return [...item.tables].some(fits)
    case 'column':
      return [...item.columns].some(fits)
    case 'ip':
      return [item.ip, item.forwarded].some(
        (ip) => fits(ip) || (ip !== undefined && inRange(pattern, ip)),
      )
    case 'client':
      return all.some((other) => {
        const isOne =
          other === item || (other.session !== undefined && other.session === item.session)
        return isOne && monthIn(other) === monthIn(item) && fits(other.client)
      })
    case 'exchange':
      // Whole ids are compared as they are: random letters, upper and lower case apart.
      if (pattern.length === 1) return item.exchange === pattern[0]
      return fits(item.exchange)
    case 'connection':
    case 'method':
    case 'outcome':
    case 'reason':
    case 'rule':
    case 'session':
    case 'ticket':
    case 'tool':
    case 'writer':
      return fits(item[field])
    default:
      return field satisfies never
  }
}

function like(pattern: Pattern, text: string): boolean {
  const source = pattern.map((piece) => piece.replace(/[^\p{L}\p{N}]/gu, '\\$&')).join('[^]*')
  return new RegExp(`^${source}$`, 'i').test(text)
}

function inRange([text = '']: Pattern, ip: string): boolean {
  const [address = '', bits = ''] = text.split('/')
  const version = isIP(address)
  const isRange = version > 0 && /^\d+$/.test(bits) && Number(bits) <= (version === 6 ? 128 : 32)
  if (!isRange || isIP(ip) !== version) return false
  const range = new BlockList()
  range.addSubnet(address, Number(bits), version === 6 ? 'ipv6' : 'ipv4')
  return range.check(ip, version === 6 ? 'ipv6' : 'ipv4')
}
