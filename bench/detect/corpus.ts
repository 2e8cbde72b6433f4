/**
 * The labelled corpus: every case is drawn from a seed, so that nothing of it need be stored and
 * anybody can draw another. Families are named; each says what is in it.
 */
import { judge } from './judge.ts'
import { Scene } from './scene.ts'
import type { Secret } from './scene.ts'

/** What a family is for; each group has its own goal. */
export type Group = 'core' | 'disguise' | 'sad' | 'negative'

/** Cases of one kind. */
export interface Family {
  readonly name: string
  readonly group: Group
  /** Gives the raw text of one JSON-RPC message. Its draws may not depend on any secret's digits. */
  readonly build: (scene: Scene) => string
}

/** One message with what must go and what must stay. */
export interface Case {
  readonly id: string
  readonly family: string
  readonly group: Group
  readonly message: string
  readonly secrets: readonly Secret[]
  /** Neighbours which must come out as they went in. In negatives everything must. */
  readonly keeps: readonly string[]
}

const attemptsMax = 40

/**
 * The cases of `families`, equally many of each.
 * @param count how many in all, rounded up to a multiple of the number of families.
 * @throws {Error} when a family cannot build a case that is well posed: its builder is wrong.
 */
export function makeCorpus(families: readonly Family[], seed: number, count: number): Case[] {
  const each = Math.ceil(count / families.length)
  return families.flatMap((family) =>
    Array.from({ length: each }, (_, index) => makeCase(family, `${seed}/${family.name}/${index}`)),
  )
}

function makeCase(family: Family, seed: string): Case {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const drawn = drawCase(family, `${seed}/${attempt}`)
    if (drawn !== undefined) return drawn
  }
  throw new Error(`${seed}: no case of this family is well posed`)
}

/** Undefined for a draw in which the judge could not tell good from bad. */
function drawCase(family: Family, seed: string): Case | undefined {
  const scene = new Scene(seed, false)
  const { name, group } = family
  const message = family.build(scene)
  const { secrets, keeps } = scene
  const one: Case = { id: seed, family: name, group, message, secrets, keeps }
  JSON.parse(message)
  if (group === 'negative') return secrets.length === 0 ? one : undefined
  if (secrets.length === 0) return undefined
  return isWellPosed(one, family.build(new Scene(seed, true))) ? one : undefined
}

/**
 * The judge must find all secrets in the message as it is, and none in the ideal one; otherwise a
 * neighbour looks like a secret, and the draw is thrown away.
 */
function isWellPosed(one: Case, ideal: string): boolean {
  const spaced = one.message.endsWith(' ') ? one.message.trimEnd() : `${one.message} `
  const clear = judge(one, spaced)
  const masked = judge(one, ideal)
  return (
    clear.found.every((isFound) => !isFound) &&
    masked.found.every(Boolean) &&
    masked.lost.length === 0 &&
    masked.isSameShape
  )
}
