/** What commands about pinned tools ask over `DATA/control.sock`. */
import { z } from 'zod'
import type { Taking } from '../inspect/pins.ts'

type Format = 'text' | 'jsonl'

export interface ToolsListed {
  readonly what: 'tools'
  /** Every one where it is missing. */
  readonly connection?: string | undefined
  readonly format: Format
}

export interface ToolAccepted {
  readonly what: 'tool-accept'
  /** Of the difference that the person saw. */
  readonly id: string
  readonly taking: Taking
  readonly reason: string
  readonly format: Format
}

export interface ToolsForgotten {
  readonly what: 'tools-forget'
  readonly connection: string
  readonly reason: string
  readonly format: Format
}

export type ToolsAsked =
  | ToolsListed
  | { readonly what: 'tool-diff'; readonly id: string; readonly format: Format }
  | ToolAccepted
  | ToolsForgotten

const format = z.enum(['text', 'jsonl'])
const word = z.string().min(1).max(1000)

const asks: z.ZodType<ToolsAsked> = z.discriminatedUnion('what', [
  z.strictObject({ what: z.literal('tools'), connection: word.optional(), format }),
  z.strictObject({ what: z.literal('tool-diff'), id: word, format }),
  z.strictObject({
    what: z.literal('tool-accept'),
    id: word,
    taking: z.enum(['new', 'beside', 'pinned']),
    reason: word,
    format,
  }),
  z.strictObject({ what: z.literal('tools-forget'), connection: word, reason: word, format }),
])

const kinds: ReadonlySet<string> = new Set<ToolsAsked['what']>([
  'tools',
  'tool-diff',
  'tool-accept',
  'tools-forget',
])

/** What a body asks for, read as JSON already; undefined when it is nothing of this. */
export function parseToolsAsked(body: unknown): ToolsAsked | undefined {
  return asks.safeParse(body).data
}

export function isToolsAsked(asked: { readonly what: string }): asked is ToolsAsked {
  return kinds.has(asked.what)
}
