/** The entries of a pack as the record gives them, read back from its files. */
import { storedEntry } from '../record/stored.ts'
import { decodeBody, openBody } from './pack-body.ts'
import { ByteRun, linesOf, packReader } from './pack-folder.ts'
import { membersOf, parseKeyLine } from './pack-format.ts'
import { assert } from '../base/assert.ts'
import type { KeyGone } from '../record/months.ts'
import type { BodyState, RecordedEntry } from '../record/read.ts'
import type { KeyLine } from './pack-format.ts'

const lineBytesMax = 65_536

/** What an entry says of its body: encoding, key, size. */
type BodyReference = Readonly<Record<string, unknown>>

/** @param gone why the bodies of a month stay closed, by the id of its key. */
export async function* packedEntries(
  folder: string,
  origin: string,
  gone: ReadonlyMap<string, KeyGone>,
): AsyncGenerator<RecordedEntry> {
  const files = packReader(folder)
  const bodies = new ByteRun(files, 'bodies.bin')
  const keys = linesOf(files, 'keys.jsonl', lineBytesMax)
  let key = await nextKey(keys)
  try {
    for await (const line of linesOf(files, 'entries.jsonl', lineBytesMax)) {
      const value: unknown = JSON.parse(line.toString('utf8'))
      const fields = membersOf(value)
      const entry = storedEntry(fields)
      assert(entry !== undefined, 'a packed entry has what every entry has')
      const of = fields['body'] === undefined ? undefined : membersOf(fields['body'])
      const stored = typeof of?.['size'] === 'number' ? await bodies.take(of['size']) : undefined
      const own = key?.index === entry.index ? key : undefined
      yield {
        ...entry,
        line,
        bodyState: stateOf(of, own, gone),
        storedBody: stored,
        tokens: () => [], // No pack has any.
        body: () => stored && of && messageIn(stored, of, own, origin),
        next: { segment: '', offset: 0, nextIndex: entry.index + 1 },
      }
      if (own) key = await nextKey(keys)
    }
  } finally {
    await Promise.all([bodies.close(), keys.return(undefined)])
  }
}

async function nextKey(keys: AsyncGenerator<Buffer>): Promise<KeyLine | undefined> {
  const next = await keys.next()
  return next.done === true ? undefined : parseKeyLine(next.value)
}

function stateOf(
  of: BodyReference | undefined,
  key: KeyLine | undefined,
  gone: ReadonlyMap<string, KeyGone>,
): BodyState {
  if (!of) return 'none'
  if (typeof of['key'] !== 'string' || key) return 'readable'
  return gone.get(of['key']) ?? 'locked'
}

function messageIn(
  stored: Buffer,
  { encoding, key: keyId }: BodyReference,
  key: KeyLine | undefined,
  origin: string,
): Uint8Array | undefined {
  if (typeof encoding !== 'string') return undefined
  const isClear = typeof keyId !== 'string'
  const inner = isClear ? stored : key && openBody(stored, key.key, { origin, keyId, encoding })
  const message = inner && decodeBody(inner, encoding)
  return message === 'cannot' ? undefined : message
}
