/** Thrown when something that must hold does not: a defect of ours, never of the sender. */
export class Broken extends Error {
  override readonly name = 'Broken'
}

/**
 * States what must hold.
 * @param what the invariant in words, without values.
 * @throws {Broken} when it does not hold; the call that met it is refused.
 */
export function assert(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Broken(what)
}
