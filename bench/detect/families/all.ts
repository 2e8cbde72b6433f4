/** Every family, in the order of the table. */
import type { Family } from '../corpus.ts'
import { alikeFamilies } from './alike.ts'
import { brandFamilies } from './brands.ts'
import { codeFamilies } from './codes.ts'
import { documentFamilies, longFamilies } from './documents.ts'
import { encodingFamilies } from './encodings.ts'
import { harmlessFamilies } from './harmless.ts'
import { idFamilies } from './ids.ts'
import { neighbourFamilies } from './neighbours.ts'
import { pairFamilies } from './pairs.ts'
import { scriptFamilies } from './scripts.ts'
import { sentenceFamilies } from './sentences.ts'
import { separatorFamilies } from './separators.ts'
import { structureFamilies } from './structures.ts'
import { tableFamilies } from './tables.ts'
import { trackFamilies } from './tracks.ts'

export const families: readonly Family[] = [
  ...brandFamilies,
  ...sentenceFamilies,
  ...structureFamilies,
  ...tableFamilies,
  ...documentFamilies,
  ...longFamilies,
  ...pairFamilies.filter(({ group }) => group === 'core'),
  ...neighbourFamilies,
  ...scriptFamilies,
  ...separatorFamilies,
  ...encodingFamilies,
  ...trackFamilies,
  ...codeFamilies,
  ...pairFamilies.filter(({ group }) => group === 'sad'),
  ...idFamilies,
  ...harmlessFamilies,
  ...alikeFamilies,
]
