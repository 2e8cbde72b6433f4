/** The fields of the query language: the one place that names them. */

/** Fields that hold words, one or several. */
export const wordFields = [
  'principal',
  'of',
  'connection',
  'tool',
  'method',
  'outcome',
  'rule',
  'reason',
  'type',
  'table',
  'column',
  'ip',
  'client',
  'session',
  'exchange',
  'ticket',
  'writer',
] as const
export type WordField = (typeof wordFields)[number]

/** Fields that hold a figure. */
export const compareFields = ['duration', 'bytes', 'masked'] as const
export type CompareField = (typeof compareFields)[number]

/** Fields that hold a time. */
export const timeFields = ['from', 'to'] as const
export type TimeField = (typeof timeFields)[number]

export type Field = WordField | CompareField | TimeField

/** What each field finds, in words for people. */
export const meanings: Readonly<Record<Field, string>> = {
  principal: 'who, and whom it is about: name, subject or issuer',
  of: 'what a stop or change is about: person, client, token, sign-in, group, id',
  connection: 'the configured server',
  tool: 'the tool, prompt, resource or task that was asked for',
  method: 'the MCP method',
  outcome: 'how it ended; `open` while it runs',
  rule: 'the grant or rule that decided',
  reason: 'why it was refused or failed',
  type: 'a type of entry',
  table: 'a table named in SQL',
  column: 'a column or other name in SQL',
  ip: 'from where: an address or a range such as 10.0.0.0/8',
  client: 'name, version or user agent of the client',
  session: 'the session id',
  exchange: 'the exchange id, as refusals tell it',
  ticket: 'the number of a held call',
  writer: 'the log it stands in',
  duration: 'how long it took, such as duration>500ms',
  bytes: 'bytes in and out together, such as bytes>=10kb',
  masked: 'how many values were masked, such as masked>0',
  from: 'not before: 2026-11-01, 2026-11-21T10:00, -7d',
  to: 'not after, and all of what it names: 2026-11-21 is the whole day',
}

const kinds = new Map<string, 'word' | 'compare' | 'time'>([
  ...wordFields.map((name) => [name, 'word'] as const),
  ...compareFields.map((name) => [name, 'compare'] as const),
  ...timeFields.map((name) => [name, 'time'] as const),
])

/** Whether a name is that of a field which holds words. */
export function isWordField(name: string): name is WordField {
  return kinds.get(name) === 'word'
}

export function isCompareField(name: string): name is CompareField {
  return kinds.get(name) === 'compare'
}

export function isTimeField(name: string): name is TimeField {
  return kinds.get(name) === 'time'
}
