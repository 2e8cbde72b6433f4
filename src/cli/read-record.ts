/** `sallyport sessions`, `replay` and `search`. */
import type { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { paced } from '../replay/paced.ts'
import type { ReplayFormat } from '../replay/replay.ts'
import { ask } from './ask.ts'
import type { Outlets } from './ask.ts'
import { askCard } from './ask-card.ts'
import type { Input } from './ask-card.ts'
import type { Where } from './installation.ts'

interface Json {
  readonly json?: boolean | undefined
}

/** Prints one line a session. */
export function sessionsCommand(
  options: Where & Json,
  out: Writable,
  errors: Writable,
): Promise<number> {
  const format = options.json === true ? 'jsonl' : 'text'
  return ask({ what: 'sessions', format }, options, { out, errors })
}

const formats: ReadonlySet<string> = new Set<ReplayFormat>(['text', 'jsonl', 'html', 'har', 'cast'])

function isFormat(format: string): format is ReplayFormat {
  return formats.has(format)
}

export interface ReplayOptions extends Where, Json {
  readonly format: string
  readonly query?: string | undefined
  readonly speed?: string | undefined
  readonly idle?: string | undefined
  readonly proofs?: boolean | undefined
}

/** Prints what happened in sessions, in order. @returns 2 for options that are none. */
export function replayCommand(
  ids: readonly string[],
  options: ReplayOptions,
  out: Writable,
  errors: Writable,
): Promise<number> {
  const format = options.json === true ? 'jsonl' : options.format
  const { query } = options
  const speed = options.speed === undefined ? undefined : Number(options.speed)
  const wrong = (words: string): Promise<number> => {
    errors.write(`${words}\n`)
    return Promise.resolve(2)
  }
  if (!isFormat(format)) return wrong('--format is text, jsonl, html, har or cast.')
  if (ids.length === 0 && query === undefined)
    return wrong('Name sessions, or find them by --query.')
  if (speed !== undefined && !(speed > 0 && Number.isFinite(speed))) {
    return wrong('--speed is a number above 0: 1 is as it happened, 10 is ten times as fast.')
  }
  if (speed !== undefined && format !== 'text') return wrong('--speed is for --format text.')
  const idle = options.idle === undefined ? Infinity : Number(options.idle)
  if (!(idle > 0)) return wrong('--idle is a number of seconds above 0.')
  if (options.idle !== undefined && speed === undefined) return wrong('--idle goes with --speed.')
  const isProven = options.proofs === true
  const asked = { what: 'replay', ids, query, format, isProven } as const
  if (speed === undefined) return ask(asked, options, { out, errors })
  return ask(asked, options, { out, errors }, (lines) =>
    paced(wholeLines(lines), speed, async (ms) => await sleep(ms), { idleMsMax: idle * 1000 }),
  )
}

export interface SearchOptions extends Where, Json {
  readonly limit: string
  readonly cursor?: string | undefined
  readonly oldest?: boolean | undefined
  readonly card?: boolean | undefined
}

/**
 * Prints what a query finds.
 * @param at.input where a card number is read from, should one be asked for.
 * @returns 2 for a limit that is none, or a card number that is none.
 */
export async function searchCommand(
  query: string,
  options: SearchOptions,
  { errors, input, out }: Outlets & { input: Input },
): Promise<number> {
  const limit = Number(options.limit)
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    errors.write('--limit is a number from 1 to 1000.\n')
    return 2
  }
  const card = options.card === true ? await askCard(query, input, errors) : undefined
  if (options.card === true && card === undefined) return 2
  const order = options.oldest === true ? 'oldest' : 'newest'
  const format = options.json === true ? 'jsonl' : 'text'
  const { cursor } = options
  const asked = { what: 'search', query, card, limit, cursor, order, format } as const
  return await ask(asked, options, { out, errors })
}

/** What comes in pieces of any length, line by line. */
async function* wholeLines(pieces: AsyncIterable<string | Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const piece of pieces) {
    rest += typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true })
    const lines = rest.split(/(?<=\n)/)
    rest = lines.at(-1)?.endsWith('\n') === true ? '' : (lines.pop() ?? '')
    yield* lines
  }
  if (rest !== '') yield rest
}
