/** Beginnings of statements, as strictly as prose demands: `update the docs` is none. */
import type { Token } from './sql-tokens.ts'

const objects =
  /^(?:TABLE|DATABASE|SCHEMA|VIEW|INDEX|USER|LOGIN|ROLE|FUNCTION|TRIGGER|PROCEDURE|SEQUENCE|COLUMN|EXTENSION|TEMP|TEMPORARY|OR|UNIQUE|MATERIALIZED|TYPE|DOMAIN|SERVER|ASSEMBLY)$/
const isName = (token: Token | undefined): boolean =>
  token?.kind === 'i' || token?.kind === 's' || token?.kind === 'v'

type Check = (next: readonly (Token | undefined)[]) => boolean

const verbs: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['DROP', ([a, b]) => objects.test(a?.text ?? '') && b !== undefined],
  ['ALTER', ([a, b]) => objects.test(a?.text ?? '') && b !== undefined],
  ['CREATE', ([a, b]) => objects.test(a?.text ?? '') && b !== undefined],
  [
    'TRUNCATE',
    ([a, b]) =>
      a?.text === 'TABLE'
        ? isName(b)
        : a?.kind === 'i' && (b === undefined || /^[;C.]$/.test(b.kind)),
  ],
  ['DELETE', ([a, b]) => a?.text === 'FROM' && isName(b)],
  ['INSERT', ([a, b]) => a?.text === 'INTO' && (isName(b) || b?.kind === 'k')],
  ['REPLACE', ([a, b]) => a?.text === 'INTO' && isName(b)],
  ['MERGE', ([a, b]) => a?.text === 'INTO' && isName(b)],
  [
    'UPDATE',
    (next) =>
      (isName(next[0]) || next[0]?.kind === 'k') &&
      next.slice(1, 5).some((token) => token?.text === 'SET'),
  ],
  ['SELECT', select],
  [
    'EXEC',
    ([a, b]) =>
      a?.kind === '(' ||
      a?.kind === 's' ||
      a?.kind === 'v' ||
      (a?.kind === 'i' &&
        (/^(?:XP|SP)_|^MASTER$/.test(a.text) || b === undefined || b.kind !== 'i')),
  ],
  [
    'EXECUTE',
    ([a]) =>
      a?.kind === '(' ||
      a?.text === 'IMMEDIATE' ||
      (a?.kind === 'i' && /^(?:XP|SP)_|^MASTER$/.test(a.text)),
  ],
  ['SHUTDOWN', ([a]) => a === undefined || /^[;C]$/.test(a.kind) || a.text === 'WITH'],
  ['WAITFOR', ([a]) => a?.text === 'DELAY' || a?.text === 'TIME'],
  ['DECLARE', ([a]) => a?.kind === 'v'],
  ['IF', ([a]) => a?.kind === '(' || a?.text === 'EXISTS' || a?.text === 'NOT'],
  ['GRANT', (next) => next.some((token) => token?.text === 'TO' || token?.text === 'ON')],
  ['REVOKE', (next) => next.some((token) => token?.text === 'FROM' || token?.text === 'ON')],
  [
    'COPY',
    (next) =>
      isName(next[0]) &&
      next.slice(1, 8).some((token) => token?.text === 'FROM' || token?.text === 'TO'),
  ],
  ['CALL', ([a, b]) => a?.kind === 'i' && (b?.kind === '(' || b?.kind === '.')],
  ['LOAD', ([a]) => a?.text === 'DATA'],
  ['ATTACH', ([a]) => a?.text === 'DATABASE' || a?.kind === 's'],
  ['BACKUP', ([a]) => a?.text === 'DATABASE'],
  ['RECONFIGURE', ([a]) => a === undefined || a.kind === ';'],
  ['HANDLER', ([, b]) => b?.text === 'OPEN'],
  ['RENAME', ([a]) => a?.text === 'TABLE'],
  ['PRAGMA', ([a]) => a?.kind === 'i'],
  ['SET', ([a, b]) => (a?.kind === 'v' || a?.kind === 'i') && b?.text === '='],
  ['KILL', ([a, b]) => a?.kind === 'n' && (b === undefined || /^[;C]$/.test(b.kind))],
])

function select(next: readonly (Token | undefined)[]): boolean {
  const [a, b] = next
  if (a === undefined) return false
  if (/^[nsSv]$/.test(a.kind) || a.text === '*' || a.kind === '(') return true
  if (/^(?:NULL|CASE|TOP|DISTINCT|COUNT)$/.test(a.text)) return true
  return a.kind === 'i' && b !== undefined && (/^[(,.o]$/.test(b.kind) || b.text === 'FROM')
}

/** Whether a statement starts at token `at`. */
export function isStatement(list: readonly Token[], at: number): boolean {
  const verb = list[at]
  if (verb === undefined) return false
  if (verb.kind === 'i') return /^XP_\w|^SP_(?:OA|CONF|EXEC)/.test(verb.text)
  return verb.kind === 'k' && (verbs.get(verb.text)?.(list.slice(at + 1, at + 11)) ?? false)
}
