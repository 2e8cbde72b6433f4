/**
 * How the rows of a month are numbered: by time, so that the order of the rows is that of the items
 * and a range of time is a range of rows.
 *
 *     id    microseconds since the month began (42 bits) | number within the microsecond (10 bits)
 */

/** Ids of one microsecond: `idsPerUs` of them from `idOf(month, us)` on. */
export const idsPerUs = 1024
/** Ids of one day. */
export const idsPerDay: number = 86_400_000_000 * idsPerUs
export const daysPerMonthMax = 31

/** `YYYY-MM` in UTC of a time in microseconds since 1970. */
export function monthOf(us: number): string {
  return new Date(us / 1000).toISOString().slice(0, 7)
}

/** The first microsecond of a month, and one past its last. */
export function monthSpan(month: string): { startUs: number; endUs: number } {
  const [year = 0, number = 1] = month.split('-').map(Number)
  return { startUs: Date.UTC(year, number - 1) * 1000, endUs: Date.UTC(year, number) * 1000 }
}

/** The first id of a microsecond; times outside the month go to its borders. */
export function idOf(month: string, us: number): number {
  const { endUs, startUs } = monthSpan(month)
  return (Math.min(Math.max(us, startUs), endUs) - startUs) * idsPerUs
}

/** The microsecond of an id. */
export function usOf(month: string, id: number): number {
  return monthSpan(month).startUs + Math.floor(id / idsPerUs)
}

/** Day `number` of a month, from 0, as `YYYY-MM-DD`. */
export function dayOf(month: string, number: number): string {
  return `${month}-${String(number + 1).padStart(2, '0')}`
}
