/** Cutting what was masked in one message into entries that each stay under the size limit. */
import { entryBytesMax, groupText } from './encode.ts'
import type { GroupInput, MaskApplied } from './entry.ts'
import type { MaskPart } from './encode.ts'

/** Room for the groups; the rest is for the common fields, whose words are all bounded. */
const groupsBytesMax = entryBytesMax / 2

/**
 * The entries for one message's maskings: one as a rule, several when the groups are too many or
 * too long. A group's `each` is cut between two maskings; its parts follow each other, so joined in
 * order they are the group again.
 */
export function splitMasking(entry: MaskApplied): MaskPart[] {
  const { groups: all } = entry
  if (boundOf(all) <= groupsBytesMax) return [{ ...entry, count: countOf(all), part: 1, parts: 1 }]
  const parts: GroupInput[][] = [[]]
  let bytes = 0 // Invariant: no less than the bytes of the groups in the last part.
  for (const group of entry.groups) {
    const frame = Buffer.byteLength(groupText({ ...group, each: [] })) + 1
    let from = 0
    do {
      if (bytes + frame > groupsBytesMax && bytes > 0) bytes = startPart(parts)
      const to = reach(group.each, from, groupsBytesMax - bytes - frame)
      const each = from === 0 && to === group.each.length ? group.each : group.each.slice(from, to)
      parts.at(-1)?.push(each === group.each ? group : { ...group, each })
      bytes += frame + eachBytes(each)
      from = to
      if (from < group.each.length) bytes = startPart(parts)
    } while (from < group.each.length)
  }
  return parts.map((groups, i) => ({
    ...entry,
    groups,
    count: countOf(groups),
    part: i + 1,
    parts: parts.length,
  }))
}

/** More bytes than the groups can take: a UTF-16 unit takes six at most, as an escape. */
function boundOf(groups: readonly GroupInput[]): number {
  let bytes = 0
  for (const { at, brand, confidence, each, kind, rule } of groups) {
    const words = at.length + (brand?.length ?? 0) + confidence.length + kind.length + rule.length
    bytes += 100 + words * 6 + eachBytes(each)
  }
  return bytes
}

function countOf(groups: readonly GroupInput[]): number {
  return groups.reduce((sum, { each }) => sum + each.length, 0)
}

function startPart(parts: GroupInput[][]): 0 {
  parts.push([])
  return 0
}

/** One past the last masking that fits into `room` bytes; at least one goes in. */
function reach(each: readonly string[], from: number, room: number): number {
  let left = room
  let to = from
  while (to < each.length) {
    left -= (each[to]?.length ?? 0) + 3 // Two quotes and a comma; these words are all ASCII.
    if (left < 0 && to > from) break
    to++
  }
  return to
}

function eachBytes(each: readonly string[]): number {
  return each.reduce((sum, word) => sum + word.length + 3, 0)
}
