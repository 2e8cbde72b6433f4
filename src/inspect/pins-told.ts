/** What is recorded of pins: names, hashes and which parts; never what a server wrote. */
import type { Details } from '../record/entry.ts'
import type { Note } from '../record/notes.ts'
import type { Confidence } from './facts.ts'
import type { PartName } from './pins-form.ts'

export type Told = ToldChange | ToldTwin | { readonly change: 'excess'; readonly tools: number }

export interface ToldChange {
  /** `pinned` in the first list of a connection, `new` later. */
  readonly change: 'pinned' | 'new' | 'changed' | 'returned' | 'unsteady'
  readonly key: string
  /** Masked, one line. */
  readonly tool: string
  /** Of the difference. */
  readonly id?: string | undefined
  /** SHA-256; of what is pinned, and of what is there in its place. */
  readonly before?: string | undefined
  readonly after: string
  readonly parts?: readonly PartName[] | undefined
}

export interface ToldTwin {
  readonly change: 'twin'
  readonly tool: string
  readonly like: string
  readonly connection: string
  readonly confidence: Confidence
}

/** More changes than this at once are told in groups. */
const singlesMax = 20
const groupMax = 50
const nameMax = 64

/** Writes them all; durable when it resolves. @throws {Fault} as `Note`. */
export async function tell(connection: string, all: readonly Told[], note: Note): Promise<void> {
  const entries = [...changeEntries(all), ...twinEntries(all)]
  for (const told of all) {
    if (told.change === 'excess') entries.push(['tool.changed', { ...told }])
  }
  await Promise.all(
    entries.map(async ([type, details]) => await note(type, { connection }, details)),
  )
}

type Entry = readonly [type: 'tool.changed' | 'inspect.found', details: Details]

function changeEntries(all: readonly Told[]): Entry[] {
  const changes = all.filter((told) => told.change !== 'twin' && told.change !== 'excess')
  const found: Entry[] = []
  for (const change of ['pinned', 'new', 'changed', 'returned', 'unsteady'] as const) {
    const alike = changes.filter((told) => told.change === change)
    if (alike.length <= singlesMax && change !== 'pinned') {
      for (const { after, before, id, parts, tool } of alike) {
        found.push(['tool.changed', { change, tool, id, before, after, parts }])
      }
      continue
    }
    for (let i = 0; i < alike.length; i += groupMax)
      found.push(groupOf(alike.slice(i, i + groupMax)))
  }
  return found
}

function groupOf(group: readonly ToldChange[]): Entry {
  const before = group.map((told) => told.before ?? '')
  const details = {
    change: group[0]?.change,
    count: group.length,
    tools: group.map(({ tool }) => tool.slice(0, nameMax)),
    before: before.some((hash) => hash !== '') ? before : undefined,
    after: group.map(({ after }) => after),
  }
  return ['tool.changed', details]
}

function twinEntries(all: readonly Told[]): Entry[] {
  const twins = all.filter((told) => told.change === 'twin')
  const more = twins.length > singlesMax ? twins.length - singlesMax : undefined
  return twins.slice(0, singlesMax).map(({ confidence, connection, like, tool }) => {
    const what = { family: 'protocol', what: 'confusable_name', confidence, more }
    return ['inspect.found', { ...what, tool, like, like_connection: connection }]
  })
}
