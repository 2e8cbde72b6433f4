/**
 * The detectors to compare with: two open packages with the settings of their README, and the two
 * recipes that most people write first. Each gets every message both ways, as one text and string
 * by string; the table shows for each the way in which it found more.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import creditCardType from 'credit-card-type'
import { passesLuhn } from './numbers.ts'
import { Token, print } from './print.ts'
import type { Value } from './print.ts'

/** What a peer made of one text. */
export interface Masking {
  readonly text: string
  /** It changed something because it took it for card data; other kinds are not held against it. */
  readonly isCard: boolean
}

export interface Peer {
  readonly name: string
  readonly mask: (text: string) => Masking | Promise<Masking>
}

/** The two ways of handing a message to a peer. */
export const ways = ['as one text', 'string by string'] as const
export type Way = (typeof ways)[number]

export async function maskWith(peer: Peer, way: Way, message: string): Promise<Masking> {
  return way === 'as one text' ? peer.mask(message) : await eachString(peer, message)
}

/** Strings, keys and number tokens one by one, printed together again. */
async function eachString(peer: Peer, message: string): Promise<Masking> {
  let isCard = false
  const mask = async (text: string): Promise<string> => {
    const masked = await peer.mask(text)
    isCard ||= masked.isCard
    return masked.text
  }
  const walk = async (value: unknown): Promise<Value> => {
    if (typeof value === 'string') return mask(value)
    if (value instanceof Token) {
      const text = await mask(value.text)
      return /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text) ? new Token(text) : text
    }
    if (Array.isArray(value)) {
      const items: Value[] = []
      for (const item of value) items.push(await walk(item))
      return items
    }
    if (typeof value !== 'object' || value === null) return value as boolean | null
    const members: [string, Value][] = []
    for (const [key, member] of Object.entries(value)) {
      members.push([await mask(key), await walk(member)])
    }
    return Object.fromEntries(members)
  }
  const tree: unknown = JSON.parse(message, (_, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' ? new Token(context?.source ?? '') : value,
  )
  return { text: print(await walk(tree)), isCard }
}

const run = /(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)/g

/** All but the last four digits starred, in runs that `accepts`; else in their longest head. */
function starred(name: string, accepts: (digits: string) => boolean): Peer {
  const mask = (text: string): Masking => {
    let isCard = false
    const masked = text.replaceAll(run, (found) => {
      const head = heads(found).find((each) => accepts(each.replaceAll(/\D/g, '')))
      if (head === undefined) return found
      isCard = true
      return stars(head) + found.slice(head.length)
    })
    return { text: masked, isCard }
  }
  return { name, mask }
}

/** The run, and what is left when groups are taken from its end: `4111 … 1111 12` holds a date. */
function heads(found: string): string[] {
  const ends = [...found.matchAll(/[ -]/g)].map(({ index }) => index)
  return [found, ...ends.toReversed().map((end) => found.slice(0, end))].filter(
    (head) => head.replaceAll(/\D/g, '').length >= 13,
  )
}

function stars(text: string): string {
  let left = text.replaceAll(/\D/g, '').length
  return text.replaceAll(/\d/g, (digit) => (left-- > 4 ? '*' : digit))
}

const inRange = (digits: string): boolean =>
  creditCardType(digits).some(({ lengths }) => lengths.includes(digits.length))

export const recipes: readonly Peer[] = [
  starred('plain Luhn', passesLuhn),
  starred('ranges with Luhn', (digits) => passesLuhn(digits) && inRange(digits)),
]

/** Parts of `openredaction` that are used here. */
interface OpenRedactionPackage {
  readonly OpenRedaction: new () => {
    detect(text: string): Promise<{ redacted: string; detections: readonly { type: string }[] }>
  }
}
/** Parts of `@presidio-dev/hai-guardrails` that are used here. */
interface HaiPackage {
  readonly piiGuard: (options: {
    selection: unknown
  }) => (
    messages: readonly { role: string; content: string }[],
  ) => Promise<readonly { modifiedMessage?: { content: string } }[]>
  readonly SelectionType: { readonly All: unknown }
}

const home = import.meta.dirname

/**
 * The packages, installed first where they are missing.
 * @returns the peers, and for those that are not there the reason in words.
 */
export async function packagedPeers(): Promise<{ peers: Peer[]; missing: string[] }> {
  if (!existsSync(join(home, 'node_modules'))) install()
  const peers: Peer[] = []
  const missing: string[] = []
  for (const [name, load] of [
    ['openredaction', openRedaction],
    ['hai-guardrails', haiGuardrails],
  ] as const) {
    try {
      peers.push(await load(name))
    } catch {
      missing.push(`${name} is not installed: run \`npm ci\` in bench/detect`)
    }
  }
  return { peers, missing }
}

function install(): void {
  console.error('The peers are not installed: running `npm ci` in bench/detect.')
  try {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: home, stdio: 'inherit' })
  } catch {
    console.error('That failed; their columns are left out.')
  }
}

async function openRedaction(name: string): Promise<Peer> {
  const path: string = 'openredaction' // A variable, as the main install does not have it.
  const { OpenRedaction }: OpenRedactionPackage = await import(path)
  const redactor = new OpenRedaction()
  const mask = async (text: string): Promise<Masking> => {
    const { redacted, detections } = await redactor.detect(text)
    return {
      text: redacted,
      isCard: detections.some(({ type }) => /^(CREDIT_)?CARD|CVV/.test(type)),
    }
  }
  return { name, mask }
}

async function haiGuardrails(name: string): Promise<Peer> {
  const path: string = '@presidio-dev/hai-guardrails'
  // Its bundle starts workers from a path of the machine it was built on. They fail, which is
  // reported here some time later; the guard that we use does without them.
  process.on('uncaughtException', (error) => {
    if (!error.message.includes('piscina')) throw error
  })
  const { piiGuard, SelectionType }: HaiPackage = await import(path)
  const guard = piiGuard({ selection: SelectionType.All })
  const marks = (text: string): number => text.split('[REDACTED-CREDIT-CARD]').length
  const mask = async (text: string): Promise<Masking> => {
    const [result] = await guard([{ role: 'user', content: text }])
    const masked = result?.modifiedMessage?.content ?? text
    return { text: masked, isCard: marks(masked) > marks(text) }
  }
  return { name, mask }
}
