/** Long patterns, an alternative a line. */

/** One pattern of many: whichever matches. Numbered groups must not be referred to. */
export function union(flags: string, parts: readonly RegExp[]): RegExp {
  return new RegExp(parts.map(({ source }) => source).join('|'), flags)
}
