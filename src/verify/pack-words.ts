/** What a pack's verification found, in lines for a terminal. */
import type { PackReport } from './pack-verify.ts'

const verdicts = {
  0: 'PROVEN: every entry stands in the log as its key signed it, and nothing in the pack was changed.',
  1: 'DISPROVEN: something in this pack is not what was signed.',
  2: 'CANNOT TELL: nothing speaks against it, but not all of it could be checked.',
} as const

const signs = { wrong: 'WRONG', unsure: 'OPEN ', note: 'note ' } as const

/** Lines without newlines; the verdict first, then what was found, then what it is about. */
export function packLines(report: PackReport): string[] {
  const { checkpoint, findings, manifest, namedKeys, seen, witnessed } = report
  const lines: string[] = [verdicts[findings.exitCode], '']
  for (const { place, weight, words } of findings.list()) {
    lines.push(`${signs[weight]} ${plain(place)}: ${words}`)
  }
  if (findings.list().length > 0) lines.push('')
  if (!manifest) return lines
  lines.push(`log          ${plain(manifest.origin)}`)
  lines.push(`asked for    ${plain(manifest.asked)}`)
  lines.push(`made         ${plain(manifest.made)} by version ${plain(manifest.version)}`)
  if (checkpoint) {
    const root = checkpoint.root.toString('base64')
    lines.push(`checkpoint   ${checkpoint.size} entries, root ${root}`)
  }
  for (const { name, size, time } of witnessed) {
    const when = time === undefined ? '' : ` at ${new Date(time * 1000).toISOString()}`
    lines.push(`witnessed    ${size} entries by ${plain(name)}${when}`)
  }
  if (seen) {
    const { bodies, calls, entries, keys, sessions } = seen.counts
    lines.push(`entries      ${entries}; calls: ${calls}, sessions: ${sessions}`)
    lines.push(`times        ${seen.firstTime ?? '-'} to ${seen.lastTime ?? '-'}`)
    lines.push(`bodies       ${bodies}, of which ${keys} can be opened with keys in the pack`)
  }
  lines.push(
    manifest.scope === 'whole'
      ? 'complete     every call has its end and every session its number of calls, unless said above'
      : 'complete     not shown: these are entries that a query found; others stand between them',
  )
  for (const key of namedKeys)
    lines.push(`key named    ${plain(key)} (compare it, do not trust it)`)
  return lines
}

/** Text of others, so that nothing in it drives a terminal or turns its direction. */
function plain(text: string): string {
  return text.replace(/[^ -~]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`)
}
