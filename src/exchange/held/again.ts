/** The answer of one execution, given to another request that waited for it. */
import type { Answer } from '../../upstream/answer.ts'
import { NONE, readJson } from '../../wire/json.ts'
import { splice } from '../../wire/splice.ts'
import type { Leg } from '../way.ts'
import { ownAnswer } from './own.ts'

/**
 * @param message the server's final message, as it came; it is masked anew for whoever gets it.
 * @returns the same under the other request's id.
 */
export function answerAgain(message: Uint8Array, { idRaw }: Leg): Answer {
  // It was read within the limits of its connection before.
  const tree = readJson(message, { bytesMax: message.length, depthMax: 512 })
  const id = tree.at('id')
  if (id === NONE || idRaw === undefined) return ownAnswer(message)
  const edit = { start: tree.start(id), end: tree.end(id), bytes: Buffer.from(idRaw) }
  return ownAnswer(splice(message, [edit]))
}
