/**
 * Name patterns of grants: literal text in which `*` stands for any run of characters. Names are
 * compared by exact code points, never folded: `delete_user` and its Cyrillic twin stay two names.
 */
export interface Pattern {
  matches(name: string): boolean
  /** The literal text ahead of the first `*`. */
  readonly prefix: string
  readonly isExact: boolean
}

/** @param source the pattern as written in the configuration, at most 1,024 characters. */
export function pattern(source: string): Pattern {
  const [prefix = '', ...rest] = source.split('*')
  if (rest.length === 0) return { prefix, isExact: true, matches: (name) => name === source }
  const suffix = rest.at(-1) ?? ''
  const middle = rest.slice(0, -1).filter((part) => part !== '')
  return { prefix, isExact: false, matches: (name) => matchParts(name, prefix, middle, suffix) }
}

/** Linear in the length of the name: each part is looked for after the one before it, once. */
function matchParts(name: string, prefix: string, middle: string[], suffix: string): boolean {
  if (name.length < prefix.length + suffix.length) return false
  if (!name.startsWith(prefix) || !name.endsWith(suffix)) return false
  const end = name.length - suffix.length
  let from = prefix.length
  for (const part of middle) {
    const found = name.indexOf(part, from)
    if (found < 0 || found + part.length > end) return false
    from = found + part.length
  }
  return true
}
