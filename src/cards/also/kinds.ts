/** The detectors beyond card data, as `masking.also` names them. All are off until named. */
export const alsoKinds: readonly ['iban', 'routing', 'ssn', 'private_keys', 'tokens'] = [
  'iban',
  'routing',
  'ssn',
  'private_keys',
  'tokens',
]
export type AlsoKind = (typeof alsoKinds)[number]
