/**
 * MySQL, MariaDB, SQL Server, SQLite and Oracle: their text as the neutral statements of `statement.ts`.
 *
 * No published grammar reads nearly all of these dialects, and the tolerant ones read some statements as
 * something harmless (docs/inspection.md has the figures). So the reader is ours: exact where text becomes
 * tokens and where statements end, with a list of statements, and loose only inside expressions, where
 * it keeps every name, call and query. A second grammar may contradict it.
 */
import { Cursor } from './other-cursor.ts'
import { type Contradicts, loadSecond, secondTokensMax } from './other-second.ts'
import { statements } from './other-statement.ts'
import { type Other, type Tokens, Unread, tokenize } from './other-tokens.ts'
import type { Statement, Unreadable } from './statement.ts'

/**
 * The statements of a text, at least one, or why it is not read. Never throws.
 * @param text without bound here: time and memory grow linearly with it.
 */
export type ReadOther = (text: string, dialect: Other) => readonly Statement[] | Unreadable

/** Loads what is needed to read these dialects, at first use; later calls give the same reader. */
export function openOther(): Promise<ReadOther> {
  opened ??= loadSecond().then((second) => (text, dialect) => readOther(text, dialect, second))
  return opened
}
let opened: Promise<ReadOther> | undefined

function readOther(
  text: string,
  dialect: Other,
  second: Contradicts,
): readonly Statement[] | Unreadable {
  try {
    const { read, tokens } = readAs(text, dialect, true)
    if (read.length === 0) return { problem: 'empty' }
    const small = tokens.tokens.length <= secondTokensMax
    if (small && second(text, dialect, read)) return { problem: 'disagreement' }
    if (tokens.uncertain && readsOtherwise(text, dialect, tokens))
      return { problem: 'disagreement' }
    return read
  } catch (error) {
    // What is not an Unread is a stack that ran out, or a defect: the text counts as not understood.
    return { problem: error instanceof Unread ? error.problem : 'too_deep' }
  }
}

function readAs(text: string, dialect: Other, backslashes: boolean) {
  const tokens = tokenize(text, dialect, backslashes)
  return { read: statements(new Cursor(tokens, dialect), tokens.comments), tokens }
}

/** MySQL under NO_BACKSLASH_ESCAPES ends some strings elsewhere. If the text is another statement then,
 *  it says two things. */
function readsOtherwise(text: string, dialect: Other, tokens: Tokens): boolean {
  try {
    return outline(readAs(text, dialect, false).tokens) !== outline(tokens)
  } catch {
    // No statement in that mode: the server would refuse it, so only our reading can run.
    return false
  }
}

/** The tokens without what stands inside strings. */
function outline({ tokens }: Tokens): string {
  return tokens
    .map(({ kind, text }) => (kind === 'text' || kind === 'double' ? kind : text))
    .join(' ')
}
