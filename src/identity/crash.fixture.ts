/** Stops one principal after the other and tells of each when it is durable, until it is killed. */
import { systemClock } from '../base/clock.ts'
import { openDirectory } from './directory-store.ts'
import { openRevocations } from './revocation-store.ts'

const [, , file = ''] = process.argv
const clock = systemClock()
const revocations = openRevocations(file, { clock })
const directory = openDirectory(file, { clock })
for (let i = 0; i < 100_000; i++) {
  const who = { issuer: 'https://issuer.example', subject: `s${i}` }
  const nowMs = Math.floor(clock.nowUs() / 1000)
  const made = { reason: 'r', by: 'op', source: 'cli' as const, madeMs: nowMs, fromMs: nowMs }
  const { id } = revocations.add({ target: { kind: 'principal', ...who }, ...made })
  if (i % 3 === 0) revocations.lift(id)
  directory.tell({ ...who, kind: 'person' }, 'scim', nowMs)
  // Written at once, by the call itself: a line stands only where both are through.
  process.stdout.write(`${i}\n`)
}
