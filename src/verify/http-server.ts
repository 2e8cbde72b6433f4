/** The server of a log as a verifier asks it: few bytes at a time, not for ever, and nowhere else. */
import { Fault } from '../base/fault.ts'
import { tilePath } from '../tlog/tiles.ts'
import { Unproven } from '../tlog/unproven.ts'
import type { Tile } from '../tlog/tiles.ts'

const waitMsMax = 30_000
const noteBytesMax = 1_048_576
const hashBytes = 32
const bundleBytesMax = 256 * (2 + 65_535)
/** How many answers are waited for at a time. */
const aheadMax = 4

export class LogServer {
  readonly #base: URL
  readonly #token: string | undefined
  #place = 'log'

  /** @throws {Fault} `refused` for an address that is neither HTTPS nor of this machine. */
  constructor(url: string, token: string | undefined) {
    const base = URL.canParse(url) ? new URL(url.endsWith('/') ? url : `${url}/`) : undefined
    const isHere = base?.protocol === 'http:' && loopback.has(base.hostname)
    if (!base || (base.protocol !== 'https:' && !isHere) || base.username !== '') {
      throw new Fault(
        'refused',
        'A log is verified over https:, or over http: on this machine; nothing was asked. Give ' +
          'the address without user or password, and a token by its own option.',
        { facts: { reason: 'address' } },
      )
    }
    this.#base = base
    this.#token = token
  }

  /** What was asked for last: where a fault belongs. */
  get place(): string {
    return this.#place
  }

  /** @throws {Unproven} as `tile`. */
  async checkpoint(): Promise<string> {
    return (await this.#needed('checkpoint', noteBytesMax)).toString('utf8')
  }

  /** @throws {Unproven} `tile_malformed` when it is not to be had, or not of the length it must be. */
  async tile(tile: Tile): Promise<Buffer> {
    const path = tilePath(tile)
    const bytes = await this.#needed(path, tile.width * hashBytes)
    if (bytes.length === tile.width * hashBytes) return bytes
    throw silent(`${path} is too short.`)
  }

  /** The bundle beside a tile of leaves; undefined when its entries are gone, `refused` when they are
   *  not for this token. @throws {Unproven} as `tile`. */
  async entries({ index, width }: Tile): Promise<Buffer | 'refused' | undefined> {
    const path = tilePath({ level: 'entries', index, width })
    const found = await this.#get(path, bundleBytesMax)
    if (Buffer.isBuffer(found)) return found
    if (found === 401 || found === 403) return 'refused'
    if (found === 404 || found === 410) return undefined
    throw silent(`The server answers ${found} for ${path}.`)
  }

  async #needed(path: string, bytesMax: number): Promise<Buffer> {
    const found = await this.#get(path, bytesMax)
    if (Buffer.isBuffer(found)) return found
    throw silent(`The server answers ${found} for ${path}.`)
  }

  /** The bytes, or the status of an answer without them. */
  async #get(path: string, bytesMax: number): Promise<Buffer | number> {
    this.#place = path
    try {
      const answer = await fetch(new URL(path, this.#base), {
        headers: this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` },
        redirect: 'error', // The token is for this server and no other.
        signal: AbortSignal.timeout(waitMsMax),
      })
      if (answer.status === 200 && answer.body) return await bodyOf(answer.body, path, bytesMax)
      await answer.body?.cancel()
      return answer.status
    } catch (error) {
      if (error instanceof Unproven) throw error
      throw silent(`The server cannot be reached, or broke off, for ${path}.`)
    }
  }
}

const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

async function bodyOf(
  body: AsyncIterable<Uint8Array>,
  path: string,
  bytesMax: number,
): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.length
    if (size > bytesMax) throw silent(`${path} is longer than ${bytesMax} bytes.`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces, size)
}

/** What is not to be had says nothing against the log, and nothing for it. */
function silent(what: string): Unproven {
  return new Unproven('tile_malformed', `${what} The log could not be gone through to its end.`)
}

/** Results in order, of which the next few are under way already. */
export async function* ahead<A, B>(
  of: Iterable<A>,
  make: (each: A) => Promise<B>,
): AsyncGenerator<B> {
  const underWay: Promise<B>[] = []
  for (const each of of) {
    const made = make(each)
    made.catch(() => undefined) // It is thrown when its turn comes.
    underWay.push(made)
    const first = underWay.length >= aheadMax ? underWay.shift() : undefined
    if (first) yield await first
  }
  for (const made of underWay) yield await made
}
