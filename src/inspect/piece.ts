/** A text of a message that detectors look at, and what its name says it is for. */
import { NONE } from '../wire/json.ts'
import type { JsonTree, Node } from '../wire/json.ts'
import type { Confidence } from './facts.ts'

/**
 * What an argument is for, by its name: `prose` is read by people, `code` is source text or a document,
 * `command` is run by a shell, `path` and `url` name a place, `value` is everything else.
 */
export type Role = 'prose' | 'code' | 'command' | 'path' | 'url' | 'value'

export interface Piece {
  /** Decoded: JSON's escapes are undone. */
  readonly text: string
  /** JSON pointer from the message's root. */
  readonly at: string
  readonly role: Role
  readonly isKey: boolean
}

/** What a detector saw in one text. `what` is the machine's word for it. */
export interface Sighting {
  readonly what: string
  readonly confidence: Confidence
}

const words: readonly (readonly [Role, readonly string[]])[] = [
  [
    'prose',
    (
      'text message msg body description desc comment comments note notes prompt question summary title ' +
      'subject reason feedback review reply answer instructions instruction thought thoughts bio about ' +
      'abstract caption transcript email_body html_body details explanation justification story narrative ' +
      'observation observations problem symptoms changelog memo prose paragraph sentence'
    ).split(' '),
  ],
  [
    'code',
    (
      'code source snippet diff patch content contents script markdown html xml json yaml css javascript ' +
      'typescript python document documentation readme old_string new_string old_str new_str old_text ' +
      'new_text oldtext newtext replacement file_text template log logs stacktrace traceback ' +
      'input_text expression formula regex pattern program'
    ).split(' '),
  ],
  [
    'command',
    'command cmd commands shell bash exec powershell commandline command_line'.split(' '),
  ],
  [
    'path',
    (
      'path paths file files filename filepath file_path dir directory folder cwd root destination dest ' +
      'source_path target_path output_path input_path outfile infile location attachment document_path ' +
      'relative_path include page_path download upload archive key_file logfile log_file image_path'
    ).split(' '),
  ],
  [
    'url',
    (
      'url urls uri link href endpoint webhook callback callback_url redirect redirect_uri redirect_url ' +
      'image_url base_url feed src origin site website webpage address_url target_url return_url next ' +
      'proxy avatar_url source_url page_url'
    ).split(' '),
  ],
]
const roles = new Map(words.flatMap(([role, names]) => names.map((name) => [name, role] as const)))
const endings: readonly (readonly [RegExp, Role])[] = [
  [/(^|_)(url|uri|href|link|endpoint|webhook)s?$/, 'url'],
  [/(^|_)(path|file|filename|filepath|dir|directory|folder)s?$/, 'path'],
  [/(^|_)(code|diff|patch|script|content|contents|html|markdown|source|snippet)$/, 'code'],
  [
    /(^|_)(text|message|body|description|comment|notes?|prompt|summary|title|subject|reason)$/,
    'prose',
  ],
  [/(^|_)(command|cmd|shell)s?$/, 'command'],
]

/** What an argument called `name` is for: `fileName`, `file-name` and `file_name` are one name. */
function roleOf(name: string): Role {
  const known = seen.get(name)
  if (known !== undefined) return known
  const plain = name
    .slice(0, 64)
    .replaceAll(/([a-z\d])([A-Z])/g, '$1_$2')
    .replaceAll(/[-. ]/g, '_')
    .toLowerCase()
  const role = roles.get(plain) ?? endings.find(([form]) => form.test(plain))?.[1] ?? 'value'
  if (seen.size >= seenMax) seen.clear()
  seen.set(name, role)
  return role
}
const seen = new Map<string, Role>()
const seenMax = 512

/** One segment of a JSON pointer (RFC 6901 §3). */
function segment(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

/**
 * Every string and key below `node`.
 * @param at the pointer of `node`.
 * @param name the argument's name, for elements of an array and members of unnamed objects.
 * @param visit gets each; gives back false to stop.
 * @returns whether all of them were visited.
 */
export function eachPiece(
  tree: JsonTree,
  node: Node,
  at: string,
  name: string,
  visit: (piece: Piece) => boolean,
): boolean {
  const kind = tree.kind(node)
  if (kind === 'string') {
    return visit({ text: tree.text(node), at, role: roleOf(name), isKey: false })
  }
  if (kind === 'array') {
    let index = 0
    for (let n = tree.first(node); n !== NONE; n = tree.next(n)) {
      if (!eachPiece(tree, n, `${at}/${index}`, name, visit)) return false
      index++
    }
  } else if (kind === 'object') {
    for (let key = tree.first(node); key !== NONE; key = tree.next(key)) {
      const text = tree.text(key)
      const place = `${at}/${segment(text)}`
      if (!visit({ text, at: place, role: 'value', isKey: true })) return false
      if (!eachPiece(tree, tree.value(key), place, text, visit)) return false
    }
  }
  return true
}
