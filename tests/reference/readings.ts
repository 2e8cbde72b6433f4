/**
 * Other readings of single rules. The tests ask the reference each question once more under each of
 * them: where the answer depends on it, the case is left out (see `exclusions.ts` for the reasons).
 */
export type Reading =
  | 'distances of signs'
  | 'cut words'
  | 'words with their punctuation'
  | 'wrapped numbers begin a row'
  | 'no digits one by one'
  | 'lengths as they are spelt'

/** The reading at hand; undefined for the rules as they are meant. */
export const reading: { now: Reading | undefined } = { now: undefined }

/** Whether something was met for which there is no rule: hits that overlap. */
export const doubt = { isAny: false }
