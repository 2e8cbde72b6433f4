/** For tests and benches: real permits and receipts, made by their makers over a disk that is none. */
import { compileGrants } from '../policy/grants.ts'
import { decide, permit } from '../policy/permit.ts'
import type { Permit } from '../policy/permit.ts'
import type { Verdict } from '../policy/verdict.ts'
import { commit } from '../record/durable.ts'
import type { Durable } from '../record/durable.ts'

const bearer = { issuer: 'i', subject: 's', kind: 'person', groups: [], roles: [] } as const
const access = compileGrants([{ who: {}, may: { connection: '*' } }])(bearer, 'any')

const allowed: Verdict = {
  effect: 'allow',
  matched: [],
  reason: '',
  hold: undefined,
  duties: {},
  revision: '',
}

/** A permit for one sending of the request with this digest. */
export function permitFor(digest: string): Permit {
  if (access === undefined) throw new Error('the grant for everything does not hold')
  return permit(decide(access, digest, []), allowed)
}

/** A receipt for this digest, as if its entries were on a disk. */
export function intentFor(digest: string): Durable {
  let receipt: Durable | undefined
  const waiter = {
    digest,
    resolve: (durable: Durable) => {
      receipt = durable
    },
    reject: () => {},
  }
  const nowhere = {
    commit: (_parts: unknown, _at: unknown, done: (error: null, written: number) => void) => {
      done(null, 0)
    },
    read: () => Promise.resolve(0),
    size: () => Promise.resolve(0),
    truncate: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
  commit(nowhere, [], 0, [waiter], () => {})
  if (receipt === undefined) throw new Error('no receipt was made')
  return receipt
}
