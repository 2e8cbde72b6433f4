/** Choices of detection, by the names under which the configuration knows them. */

/** The detectors beyond card data. All are off until named. */
export const alsoKinds: readonly ['iban', 'routing', 'ssn', 'private_keys', 'tokens'] = [
  'iban',
  'routing',
  'ssn',
  'private_keys',
  'tokens',
]
export type AlsoKind = (typeof alsoKinds)[number]

/** The least confidence that is masked on delivery, in ascending order. */
export const thresholds: readonly ['low', 'medium', 'high', 'certain'] = [
  'low',
  'medium',
  'high',
  'certain',
]
export type Threshold = (typeof thresholds)[number]
