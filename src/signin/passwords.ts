/**
 * Passwords of local accounts: argon2id (RFC 9106), its parameters beside the hash in the PHC string
 * format, so they can be raised without a migration.
 *
 *     $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH        base64 without padding
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { Turns } from './turns.ts'

interface Cost {
  readonly memoryKiB: number
  readonly passes: number
  readonly lanes: number
}

/** 19 MiB, two passes, one lane: what OWASP's password storage sheet asks for at least. */
const cost: Cost = { memoryKiB: 19_456, passes: 2, lanes: 1 }
const tagBytes = 32
const charactersMin = 12
const charactersMax = 256
const phc = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d)\$([\w+/]{22,})\$([\w+/]{43})$/

/** Each takes 19 MiB and 30 ms of a thread: a few at a time, and a short queue behind them. */
const turns = { atOnceMax: 2, waitingMax: 32, ofOneMax: 10, reason: 'passwords_busy' } as const

/**
 * What is wrong with a new password, in a sentence; undefined for a good one. Twelve characters with
 * a letter and a digit (PCI DSS v4.0.1 req. 8.3.6), and not the account's name.
 */
export function weakness(password: string, account: string): string | undefined {
  const { length } = Array.from(password)
  if (length < charactersMin) return `A password has at least ${charactersMin} characters.`
  if (length > charactersMax) return `A password has at most ${charactersMax} characters.`
  if (!/\p{L}/u.test(password) || !/\p{Nd}/u.test(password))
    return 'A password has at least one letter and one digit.'
  if (password.toLowerCase().includes(account.toLowerCase()))
    return 'A password does not hold the name of its account.'
  return undefined
}

/** Hashes of passwords, a few at a time. */
export class Passwords {
  readonly #turns = new Turns(turns)
  #decoy: Promise<string> | undefined

  /** @throws {Fault} `busy` when too many wait. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(16)
    const tag = await this.#derive(password, salt, cost)
    const { lanes, memoryKiB, passes } = cost
    return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$${plain(salt)}$${plain(tag)}`
  }

  /**
   * Whether a password belongs to a hash. Without one it takes as long and is always false, so
   * nobody learns by the time which accounts there are.
   * @param ip address of the source, of which a few wait at most.
   * @throws {Fault} `busy` when too many wait; it was not looked at then.
   */
  async check(password: string, hashed: string | undefined, ip?: string): Promise<boolean> {
    const [, memory, passes, lanes, salt = '', tag = ''] =
      phc.exec(hashed ?? (await this.#decoyHash())) ?? []
    if (tag === '') return false
    const of = { memoryKiB: Number(memory), passes: Number(passes), lanes: Number(lanes) }
    const found = await this.#derive(password, Buffer.from(salt, 'base64'), of, ip)
    return timingSafeEqual(found, Buffer.from(tag, 'base64')) && hashed !== undefined
  }

  async #derive(password: string, salt: Buffer, of: Cost, ip?: string): Promise<Buffer> {
    // The same characters in another normal form are the same password (RFC 8265 §4.2.2).
    const plainText = password.normalize('NFC').slice(0, 4 * charactersMax)
    return await this.#turns.take(() => derive(plainText, salt, of), ip)
  }

  /** What a password is compared with where there is no hash. One that failed is made anew. */
  async #decoyHash(): Promise<string> {
    this.#decoy ??= this.hash(randomBytes(18).toString('base64'))
    try {
      return await this.#decoy
    } catch (error) {
      this.#decoy = undefined
      throw error
    }
  }
}

function derive(password: string, nonce: Buffer, of: Cost): Promise<Buffer> {
  const { lanes: parallelism, memoryKiB: memory, passes } = of
  const parameters = { message: password, nonce, parallelism, tagLength: tagBytes, memory, passes }
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, tag) => (error ? reject(error) : resolve(tag)))
  })
}

function plain(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
