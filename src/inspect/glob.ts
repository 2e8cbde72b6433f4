/** Names with `*` for any run of characters. Linear in the length of the name. */

/** @returns whether a name matches, as exact code points. */
export function glob(source: string): (name: string) => boolean {
  const parts = source.split('*')
  if (parts.length === 1) return (name) => name === source
  const [prefix = '', ...rest] = parts
  const suffix = rest.pop() ?? ''
  return (name) => {
    if (name.length < prefix.length + suffix.length) return false
    if (!name.startsWith(prefix) || !name.endsWith(suffix)) return false
    const end = name.length - suffix.length
    let at = prefix.length
    for (const part of rest) {
      const found = name.indexOf(part, at)
      if (found < 0 || found + part.length > end) return false
      at = found + part.length
    }
    return true
  }
}
