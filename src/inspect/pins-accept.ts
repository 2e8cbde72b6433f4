/** A person ends a difference: recorded first, then written, then in force. */
import { Fault } from '../base/fault.ts'
import type { Note } from '../record/notes.ts'
import { changedParts } from './pins-form.ts'
import { isGood, none, steadyMs } from './pins-judge.ts'
import type { Pin, PinLists } from './pins-lists.ts'
import { differenceId } from './pins-names.ts'
import type { Pending, Pinned, PinState, TextRow } from './pins-rows.ts'
import type { PinTables } from './pins-tables.ts'
import { lineOf } from './pins-words.ts'
import type { Acceptance, PendingChange, Taking } from './pins.ts'

/** Forms that are good beside the pinned one. */
const besideMax = 8

/** What is told of a pin that differs. @throws {Fault} `identity_down` as `PinTables.text`. */
export function changeOf(pin: Pin, tables: PinTables): PendingChange {
  const { connection, key, name: tool, state } = pin
  const { backMs, isUnsteady, pinned } = state
  const pending = pendingOf(pin)
  const standing = isUnsteady ? 'unsteady' : backMs === undefined ? 'changed' : 'returned'
  const parts = changedParts(tables.text(pin, 'pinned').parts, tables.text(pin, 'pending').parts)
  const { id, sha256: after, sinceMs } = pending
  const steadyAtMs = backMs === undefined || isUnsteady ? undefined : backMs + steadyMs
  return {
    id,
    connection,
    key,
    tool,
    standing,
    before: pinned.sha256,
    after,
    parts,
    sinceMs,
    steadyAtMs,
  }
}

function pendingOf({ state }: Pin): Pending {
  if (state.pending) return state.pending
  throw new Fault('path_unknown', 'This tool is as it was pinned: there is nothing to accept.')
}

/**
 * @param pin one that differs.
 * @throws {Fault} `refused` where that cannot be accepted now; `record_down`: nothing is accepted.
 */
export async function acceptPin(
  pin: Pin,
  { by, reason, taking }: Acceptance,
  { lists, note }: { readonly lists: PinLists; readonly note: Note },
): Promise<PendingChange> {
  const change = changeOf(pin, lists.tables)
  const pending = pendingOf(pin)
  check(pin, pending, taking)
  const row = lists.tables.text(pin, 'pending')
  const { after, before, connection, id, parts, tool } = change
  const details = { id, tool, taking, before, after, parts, reason: lineOf(reason) }
  await note('tool.accepted', { principal: by, connection }, details)
  // A crash here leaves an entry of what was decided, and the difference open: decide again.
  settle(pin, { pending, row, taking, lists })
  return change
}

function check({ latest, state }: Pin, pending: Pending, taking: Taking): void {
  const isBack = latest === undefined ? state.backMs !== undefined : isGood(state, latest)
  if (!isBack && latest !== undefined && latest !== pending.sha256) {
    const message =
      'The tool is another one each time it is listed, and just now it is not what this difference shows. Look at the difference again; where it never stays, its server has to be mended.'
    throw new Fault('refused', message, { facts: { reason: 'changed_again' } })
  }
  if (taking === 'new' && state.backMs !== undefined) {
    const message =
      'The server shows the pinned form again. Accept with --pinned that it does; or wait until the new form is there.'
    throw new Fault('refused', message, { facts: { reason: 'returned' } })
  }
  if (taking === 'pinned' && !isBack) {
    const message = 'The server does not show the pinned form, so it cannot be kept.'
    throw new Fault('refused', message, { facts: { reason: 'not_returned' } })
  }
  if (taking === 'beside' && state.beside.length >= besideMax) {
    const message = `No more than ${besideMax} forms can be good beside the pinned one. Accept this one in its place.`
    throw new Fault('refused', message, { facts: { reason: 'too_many' } })
  }
}

interface Settling {
  readonly pending: Pending
  readonly row: TextRow
  readonly taking: Taking
  readonly lists: PinLists
}

function settle(pin: Pin, { lists, pending, row, taking }: Settling): void {
  const list = lists.of(pin.connection)
  // Somebody forgot the connection meanwhile: its next list is pinned anew.
  if (list.pins.get(pin.key) !== pin) return
  const { state } = pin
  const next: PinState = { ...state, ...taken(state, pending, taking) }
  const isMoved = state.pending !== undefined && state.pending.sha256 !== pending.sha256
  const open = isMoved ? renamed(pin, next, state.pending) : undefined
  const done: PinState = { ...next, ...(isMoved ? { pending: open } : none) }
  lists.tables.atOnce(() => {
    lists.tables.putPin({ ...pin, state: done })
    if (taking === 'new') lists.tables.putText(pin, 'pinned', row)
    if (!isMoved) lists.tables.dropText(pin, 'pending')
  })
  pin.state = done
  list.quiet.clear()
}

function taken(
  { beside }: PinState,
  pending: Pending,
  taking: Taking,
): Partial<Pick<PinState, 'pinned' | 'beside'>> {
  switch (taking) {
    case 'new':
      return { pinned: pinnedOf(pending), beside: [] }
    case 'beside':
      return { beside: [...beside, pending.sha256] }
    case 'pinned':
      return {}
    default:
      return taking satisfies never
  }
}

function pinnedOf({ description, isDestructive, isReadOnly, sha256 }: Pending): Pinned {
  return { description, isDestructive, isReadOnly, sha256 }
}

/** It changed again while this was recorded: what it is now differs from what is pinned now. */
function renamed(pin: Pin, next: PinState, pending: Pending): Pending {
  const { connection, key } = pin
  return { ...pending, id: differenceId([connection, key, next.pinned.sha256, pending.sha256]) }
}
