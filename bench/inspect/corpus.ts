/** The labelled corpus: drawn from a seed, each text once. */
import { Draw } from '../detect/draw.ts'
import { otherAttacks } from './attacks-other.ts'
import { sqlAttacks } from './attacks-sql.ts'
import type { Case, Family } from './case.ts'
import { harmlessTexts } from './harmless-texts.ts'
import { harmlessValues } from './harmless-values.ts'
import { unseenFamilies } from './unseen.ts'

export const families: readonly Family[] = [
  ...sqlAttacks,
  ...otherAttacks,
  ...harmlessValues,
  ...harmlessTexts,
  ...unseenFamilies,
]

/**
 * `count` texts of each family, weighted; fewer where its templates give no more different ones.
 * The same seed gives the same corpus on every machine.
 */
export function makeCorpus(seed: number, count: number): Case[] {
  const cases: Case[] = []
  for (const family of families) {
    const draw = new Draw(`${seed} ${family.name}`)
    const seen = new Set<string>()
    const wanted = Math.round(count * family.weight)
    for (let tries = 0; seen.size < wanted && tries < wanted * 20; tries++) {
      const value = family.make(draw)
      const [tool, argument] = draw.pick(family.where)
      const key = `${argument} ${value}`
      if (seen.has(key)) continue
      seen.add(key)
      const { name, isAttack, isHeldOut } = family
      cases.push({
        id: `${name} ${seen.size}`,
        family: name,
        isAttack,
        isHeldOut,
        tool,
        argument,
        value,
      })
    }
  }
  return cases
}
