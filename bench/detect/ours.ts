/** Our masker judged: what it found, and whether what it gives is sound. */
import { maskedByCommand } from './command.ts'
import type { Case } from './corpus.ts'
import { judge } from './judge.ts'
import type { Judged } from './tally.ts'

/** The verdicts, and for each kind of fault the ids of its cases. */
export interface Ours {
  readonly judged: readonly Judged[]
  readonly outputs: ReadonlyMap<string, string>
  readonly faults: Readonly<Record<Fault, readonly string[]>>
}

/** What may never be, whether or not the secrets were found. */
export const faultKinds = {
  noAnswer: 'the command gave no answer',
  shape: 'not valid JSON of the same shape',
  neighbour: 'a neighbour of a secret was lost',
  again: 'masked once more it changes',
  order: 'masked in another order it differs',
} as const
export type Fault = keyof typeof faultKinds

/** Masks all cases three times: in order, their outputs once more, and in reverse order. */
export async function runOurs(cases: readonly Case[]): Promise<Ours> {
  const outputs = await maskedByCommand(cases)
  const again = await maskedByCommand([...outputs].map(([id, message]) => ({ id, message })))
  const reversed = await maskedByCommand(cases.toReversed())
  const judged = cases.map((one): Judged => {
    const verdict = judge(one, outputs.get(one.id))
    return { one, verdict, isTouched: !verdict.isUntouched }
  })
  const ids = (isFault: (entry: Judged) => boolean): string[] =>
    judged.filter(isFault).map(({ one }) => one.id)
  const answered = (id: string): boolean => outputs.has(id)
  return {
    judged,
    outputs,
    faults: {
      noAnswer: ids(({ one }) => !answered(one.id)),
      shape: ids(({ one, verdict }) => answered(one.id) && !verdict.isSameShape),
      neighbour: ids(({ verdict }) => verdict.lost.length > 0),
      again: ids(({ one }) => outputs.get(one.id) !== again.get(one.id)),
      order: ids(({ one }) => outputs.get(one.id) !== reversed.get(one.id)),
    },
  }
}
