/** Says when the record stops taking calls and when it takes them again, in the log and in the record. */
import type { Fault } from '../base/fault.ts'
import type { Log } from '../exchange/stations.ts'
import { share } from '../record/entry.ts'
import type { Recorder, RecorderState } from '../record/record.ts'

export class RecordWatch {
  /** Set once the record is open. */
  recorder: Recorder | undefined
  #wasFull = false
  readonly #failing = new Set<string>()

  /** PCI DSS v4.0.1 req. 10.7.2: the failure of a control is noticed, with its begin and end. */
  changed(state: RecorderState, why: Fault | undefined, log: Log): void {
    const facts = { state, code: why?.code }
    if (state === 'closed' || state === 'open') log.info(facts, 'record')
    else log.error(facts, 'record')
    if (state === 'full') {
      this.#wasFull = true
      this.#append('control.failed', 'record_full', log)
    } else if (state === 'open' && this.#wasFull) {
      this.#wasFull = false
      this.#append('control.restored', 'room', log)
    }
    // A latched record takes nothing more; `gateway.recovered` of the next start tells of it.
  }

  /** A control beside the record fails: each is told once, until it works again. */
  failed(control: string, reason: string, log: Log): void {
    if (this.#failing.has(control)) return
    this.#failing.add(control)
    log.error({ control, reason }, 'control failed')
    this.#append('control.failed', reason, log, control)
  }

  restored(control: string, log: Log): void {
    if (!this.#failing.delete(control)) return
    log.info({ control }, 'control restored')
    this.#append('control.restored', 'works', log, control)
  }

  #append(
    type: 'control.failed' | 'control.restored',
    reason: string,
    log: Log,
    control = 'record',
  ): void {
    const entry = { type, control, reason }
    this.recorder?.append('control', share({}), [{ entry }]).catch(() => {
      // There is no room even for this: the log has said it.
      log.warn({ type }, 'unrecorded')
    })
  }
}
