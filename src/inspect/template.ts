/** Templates that calculate: `{{7*7}}`, `${T(java.lang.Runtime)}`, `<%= system('id') %>`. */
import type { Piece, Sighting } from './piece.ts'
import { union } from './union.ts'

const hint = /\{[{%#]|[$#*@]\{|<%|\{php|\{if|#set\s{0,4}\(|\[\[|%\{/i

const open = union('g', [
  /\{\{[{%-]?\s{0,8}([^{}]{1,400})\s{0,8}-?\}?\}\}|\{%-?\s{0,8}([^%]{1,400})%\}/,
  /[$#*@%]\{\s{0,8}([^{}]{1,400})\}|<%[=@-]?\s{0,8}([^%]{1,400})%>/,
  /\[\[\s{0,8}([^[\]]{1,400})\]\]/,
])
const reaches = union('i', [
  /__(?:class|mro|subclasses|globals|init|builtins|import|base|bases|dict|getitem)__/i,
  /\bT\s{0,4}\(\s{0,4}java\b|java\.(?:lang|util|io|net)\.|Runtime\b.{0,40}\bexec\b/i,
  /getRuntime\b|ProcessBuilder|freemarker\.template\.utility|\?(?:new|api|eval)\s{0,4}\(/i,
  /\bpopen\s{0,4}\(|\bos\.(?:popen|system|environ)|\bsubprocess\b/i,
  /\bconstructor\b.{0,30}\(|\bself\._TemplateReference|\b_self\.env\b/i,
  /\bregisterUndefinedFilterCallback/i,
  /\|\s{0,4}(?:attr|filter|map|sort|reduce)\s{0,4}\(\s{0,4}['"](?:__|system|exec|passthru)/i,
  /\bfile_get_contents\b|\bphpinfo\s{0,4}\(|\bsystem\s{0,4}\(\s{0,4}['"`]/i,
  /\bexec\s{0,4}\(\s{0,4}['"`]|\beval\s{0,4}\(|\bIO\.popen|\bFile\.(?:read|open)/i,
  /\bDir\.entries|`(?:id|ls|whoami|cat [^`]{1,40}|uname[^`]{0,8})`/i,
  /\brequire\s{0,4}\(\s{0,4}['"]child_process|\bprocess\.mainModule|\bglobal\.process/i,
  /\brange\.constructor|\bcycler\b.{0,20}__|\blipsum\b|\bget_flashed_messages\b/i,
  /\burl_for\.__|\brequest\.(?:application|environ|class)|\bsession\.__/i,
  /\bconfig\.(?:items|from_|SECRET)|\bsettings\.SECRET_KEY|#context\b|#_memberAccess/i,
  /@java\.lang|\bOgnlContext|\bnew\s{1,4}java\.|\bgetClass\s{0,4}\(|\.class\.forName/i,
  /\bnamespace\.__|\bjoiner\.__|\bdebug\b.{0,6}$|\bdump\s{0,4}\(\s{0,4}app/i,
])
const jndi = union('i', [
  /\$\{\s{0,4}jndi\s{0,4}:/i,
  /\$\{[^\n]{0,80}\$\{(?:lower|upper|::-|env:[^}]{0,20}:-|sys:|date:)[^}]{0,20}\}/i,
  /\$\{(?:::-|lower:|upper:)[jndi]\}/i,
])
const arithmetic =
  /^['"(]{0,3}-?\d{1,12}['")]{0,3}\s{0,4}[*+/-]\s{0,4}['"(]{0,3}\d{1,12}['")]{0,3}$/
const wholeNames =
  /^(?:config|self|settings|request|app|_self|dump|_context|php|debug|this\.constructor)$/

/** @returns the surest sign of a template that does more than name a value. */
export function template(text: string, role: Piece['role']): Sighting | undefined {
  if (!hint.test(text)) return undefined
  const part = text.slice(0, 65_536)
  if (jndi.test(part)) return { what: 'lookup', confidence: 'certain' }
  let seen: Sighting | undefined
  let count = 0
  open.lastIndex = 0
  for (let found = open.exec(part); found !== null && count++ < 64; found = open.exec(part)) {
    const inside =
      found
        .slice(1)
        .find((one) => one !== undefined)
        ?.trim() ?? ''
    if (reaches.test(inside)) {
      open.lastIndex = 0
      return { what: 'reaches_out', confidence: 'high' }
    }
    if (arithmetic.test(inside))
      seen ??= { what: 'arithmetic', confidence: role === 'code' ? 'medium' : 'high' }
    if (wholeNames.test(inside) && /^[{]{2}/.test(found[0]))
      seen ??= {
        what: 'context',
        confidence:
          /^(?:config|self|settings|_self)$/.test(inside) && role !== 'code' ? 'high' : 'medium',
      }
  }
  open.lastIndex = 0
  if (
    union('i', [
      /\{\{.{0,200}__(?:class|mro|subclasses|globals|builtins)__/i,
      /#set\s{0,4}\(\s{0,4}\$\w{1,20}\s{0,4}=.{0,80}(?:class|Runtime)/i,
      /<#assign\b.{0,80}(?:Execute|ObjectConstructor|\?new)|\{php\}|\{system\s{0,4}\(/i,
      /\{Smarty_Internal/i,
    ]).test(part)
  ) {
    return { what: 'reaches_out', confidence: 'high' }
  }
  return seen
}
