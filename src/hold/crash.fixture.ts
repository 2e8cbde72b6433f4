/**
 * One held call from its beginning to its end, by a process that kills itself before its n-th step:
 * a change of the file, or an entry of the record. `server` counts how often the call ran, `record`
 * has a line for each entry.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { bound, Desk, held } from './desk.fixture.ts'

const [, , dir = '', story = 'run', at = '-1'] = process.argv
const dies = Number(at)
let steps = 0

function step(): void {
  if (steps++ === dies) process.kill(process.pid, 'SIGKILL')
}

// Called through `apply`, each with the `this` it is called on.
// oxlint-disable-next-line unbound-method -- called through `apply`, with the `this` it is called on
const { run } = StatementSync.prototype
Object.defineProperty(StatementSync.prototype, 'run', {
  value(this: StatementSync, ...values: readonly unknown[]): unknown {
    step()
    return Reflect.apply(run, this, values)
  },
})
// oxlint-disable-next-line unbound-method -- called through `apply`, with the `this` it is called on
const { exec } = DatabaseSync.prototype
DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string) {
  if (!sql.includes('CREATE TABLE')) step()
  exec.call(this, sql)
}

const desk = new Desk(join(dir, 'state.sqlite'), {
  note: (type) => {
    step()
    appendFileSync(join(dir, 'record'), `${type}\n`)
    step()
    return Promise.resolve()
  },
})
desk.holds = { ...desk.holds, emergency: {} }
const { tickets } = desk
const { id } = await tickets.open(held())
if (story === 'withdraw') await tickets.withdraw(id, held().owner)
else if (story === 'deny') await desk.decide(id, 'ann', 'deny')
else {
  const isEmergency = story === 'emergency'
  await desk.decide(id, isEmergency ? 'asker' : 'ann', 'approve', { isEmergency })
  step()
  if (tickets.take(id, bound()) !== undefined) {
    step()
    appendFileSync(join(dir, 'server'), 'ran\n')
    step()
    await tickets.executed(id, 'ok')
  }
}
await tickets.tick()
step()
process.stdout.write(`${steps}\n`)
