/** Which times a query can mean at all: months outside need not be asked. */
import type { Query } from './query.ts'

/** No item at or after `untilUs` or before `fromUs` fits, in microseconds since 1970. */
export interface Times {
  readonly fromUs: number
  readonly untilUs: number
}

export function timesOf(query: Query): Times {
  switch (query.kind) {
    case 'from':
      return { fromUs: query.us, untilUs: Infinity }
    case 'until':
      return { fromUs: -Infinity, untilUs: query.us }
    case 'and': {
      const parts = query.of.map(timesOf)
      return {
        fromUs: Math.max(...parts.map(({ fromUs }) => fromUs)),
        untilUs: Math.min(...parts.map(({ untilUs }) => untilUs)),
      }
    }
    case 'or': {
      const parts = query.of.map(timesOf)
      return {
        fromUs: Math.min(...parts.map(({ fromUs }) => fromUs)),
        untilUs: Math.max(...parts.map(({ untilUs }) => untilUs)),
      }
    }
    case 'all':
    case 'not':
    case 'text':
    case 'word':
    case 'compare':
    case 'card':
      return { fromUs: -Infinity, untilUs: Infinity }
    default:
      return query satisfies never
  }
}
