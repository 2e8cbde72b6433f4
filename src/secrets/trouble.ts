/** What can go wrong between this gateway and a service that keeps keys, secrets or tokens for it. */
import type { Fault } from '../base/fault.ts'

/** The first row may pass by itself; the second needs a person. */
export type Trouble =
  | 'down'
  | 'timeout'
  | 'throttled'
  | 'sealed'
  //
  | 'settings'
  | 'denied'
  | 'unknown'
  | 'disabled'
  | 'answer'

/**
 * Makes the fault for a trouble, in the words of whoever needs the service.
 * @param why a clause such as "its service cannot be reached"; never a value.
 */
export type Blame = (trouble: Trouble, why: string, cause?: unknown) => Fault

const passing: ReadonlySet<unknown> = new Set(['down', 'timeout', 'throttled', 'sealed'])

/** Whether waiting may help. */
export function isPassing(trouble: Trouble): boolean {
  return passing.has(trouble)
}
