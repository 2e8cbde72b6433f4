/** The roll-up of all writers' heads, read: `sallyport/heads/v1`, a time, and a line for each log. */
import { parseCheckpoint } from '../tlog/checkpoint.ts'
import { Unproven } from '../tlog/unproven.ts'
import type { Checkpoint } from '../tlog/checkpoint.ts'

const title = 'sallyport/heads/v1'
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/**
 * What the roll-up says of one log. @param text of a note whose signature was checked.
 * @throws {Unproven} `checkpoint_malformed` when it is no roll-up, or names the log not once.
 */
export function headOf(text: string, origin: string): Checkpoint {
  const [first, time = '', ...lines] = text.split('\n')
  const heads = lines.slice(0, -1).map((line) => {
    const [name = '', size = '', root = '', ...rest] = line.split(' ')
    if (rest.length > 0) throw malformed('a line of it has more than a log, a size and a root')
    return parseCheckpoint(`${name}\n${size}\n${root}\n`)
  })
  if (first !== title || !timeForm.test(time)) throw malformed('its first lines are others')
  const own = heads.filter((head) => head.origin === origin)
  if (own[0] && own.length === 1) return own[0]
  throw malformed('it does not name this log once')
}

function malformed(why: string): Unproven {
  return new Unproven('checkpoint_malformed', `This is no roll-up of heads: ${why}.`)
}
