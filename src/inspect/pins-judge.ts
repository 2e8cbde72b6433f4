/**
 * What the sight of a form does to a pin. A server may show another form for a moment and go back:
 * who read it may act by it for as long as their conversation lasts, so the tool stays changed for an
 * hour behind the last sight of another form. One that goes to and fro, or is another again and
 * again, is unsteady: it stays changed until a person decides, and is no more told of.
 */
import type { Pending, PinState } from './pins-rows.ts'

/** The pinned form counts again when nothing else was seen for so long. */
export const steadyMs = 3_600_000
/** Since a person last decided. */
const changesMax = 8
const returnsMax = 3
/** The form kept of an unsteady tool is renewed so often at most. */
const renewMs = 60_000

export interface Judged {
  readonly state: PinState
  /** What is to be recorded of it. */
  readonly told: 'changed' | 'returned' | 'unsteady' | undefined
}

export function isChanged({ backMs, pending }: PinState, nowMs: number): boolean {
  return pending !== undefined && (backMs === undefined || nowMs < backMs + steadyMs)
}

export function isGood({ beside, pinned }: PinState, sha256: string): boolean {
  return pinned.sha256 === sha256 || beside.includes(sha256)
}

/** The pinned form was seen. @returns undefined where nothing changes by it. */
export function seenPinned(state: PinState, nowMs: number): Judged | undefined {
  if (state.pending === undefined || state.isUnsteady || state.backMs !== undefined) {
    return undefined
  }
  const returns = state.returns + 1
  if (returns > returnsMax) {
    return { state: { ...state, returns, isUnsteady: true }, told: 'unsteady' }
  }
  return { state: { ...state, returns, backMs: nowMs }, told: 'returned' }
}

/**
 * Another form was seen.
 * @param make makes what is kept of it; not called where nothing changes.
 */
export function seenOther(
  state: PinState,
  sha256: string,
  make: () => Pending,
  nowMs: number,
): Judged | undefined {
  const isNew = !isChanged(state, nowMs)
  const { backMs, changes, isUnsteady, pending } = isNew ? { ...state, ...none } : state
  const isSame = pending?.sha256 === sha256
  if (isSame && backMs === undefined) return undefined
  const sinceMs = pending?.sinceMs ?? -Infinity
  if (isUnsteady && !isSame && nowMs >= sinceMs && nowMs < sinceMs + renewMs) return undefined
  const count = changes + 1
  const isNowUnsteady = isUnsteady || count > changesMax
  const told = isUnsteady ? undefined : isNowUnsteady ? 'unsteady' : 'changed'
  const next = isSame ? pending : make()
  const returns = isNew ? 0 : state.returns
  return {
    state: { ...state, ...none, returns, pending: next, changes: count, isUnsteady: isNowUnsteady },
    told,
  }
}

/** Nothing waits for a person. */
export const none: Pick<PinState, 'pending' | 'changes' | 'returns' | 'backMs' | 'isUnsteady'> = {
  pending: undefined,
  changes: 0,
  returns: 0,
  backMs: undefined,
  isUnsteady: false,
}
