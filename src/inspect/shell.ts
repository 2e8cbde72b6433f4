/** Commands of a shell in an argument: a second one behind the first, or options that run one. */
import type { Piece, Sighting } from './piece.ts'
import { surer, wordsOf } from './prose.ts'
import { commandAt } from './shell-words.ts'
import { union } from './union.ts'

const placesMax = 64
const behindMax = 300

const hint = /[;|&`$\n\r<>%]|-{1,2}[a-z]|\(\)\s{0,4}\{|\b(?:cmd|bash|sh|powershell|pwsh|nc|rm)\b/i
const separator = /;|\|\|?|&&?|\r?\n|`|\$\(|<\(|>\(|\$\{IFS\}|\0/g

/** Harm by itself, wherever it stands and whatever the argument is for. */
const harmful: readonly (readonly [what: string, form: RegExp])[] = [
  [
    'reverse_shell',
    union('i', [
      /\/dev\/(?:tcp|udp)\/|\bn(?:c|cat|etcat)\b[^\n|;]{0,80}\s-\w{0,6}[ec]\w{0,3}\s/i,
      /\b(?:ba|z|k|da)?sh\s{1,8}-i\b\s{0,4}[>0-9]|\bmkfifo\s{1,8}\/tmp/i,
      /\bsocket\.(?:socket|create_connection)\b[^\n]{0,200}\b(?:dup2|subprocess|pty\.spawn)/i,
      /\bfsockopen\s{0,4}\(|\bTCPSocket\b|\bsocat\b[^\n]{0,80}\bexec:/i,
    ]),
  ],
  [
    'download_and_run',
    union('i', [
      /\b(?:curl|wget|fetch|iwr|invoke-webrequest)\b[^\n|;&]{0,200}\|\s{0,8}(?:sudo\s{1,4})?(?:\/\w{1,8}){0,3}\/?(?:ba|z|da|k)?sh\b/i,
      /\b(?:curl|wget)\b[^\n|;&]{0,200}\|\s{0,8}(?:python|perl|ruby|node|php)\d?\b/i,
      /\b(?:ba|z)?sh\s{0,4}<\(\s{0,4}(?:curl|wget)/i,
      /\biex\b[^\n]{0,40}(?:new-object|downloadstring|iwr|invoke-web)/i,
      /\bdownloadstring\s{0,4}\(/i,
      /\bbase64\s{1,4}(?:-d|--decode|-D)\b[^\n|]{0,40}\|\s{0,8}(?:ba|z)?sh\b/i,
      /\beval\s{1,4}["'$(`]{1,4}\s{0,4}(?:curl|wget|base64|echo)/i,
    ]),
  ],
  [
    'destruction',
    union('i', [
      /\brm\s{1,8}(?:-{1,2}[\w-]{1,20}\s{1,8}){1,4}(?:--\s{1,4})?(?:\/|~|\$HOME|\*|\/\*)(?:\s|$|[;|&'"])/i,
      /\brm\s{1,8}-[rf]{2,4}\s{1,8}\/(?:etc|var|home|usr|bin|opt|root|lib|boot)\b/i,
      /\bmkfs\.\w{2,6}\s|\bdd\s{1,8}if=\/dev\/(?:zero|u?random)\s{1,8}of=\/dev\//i,
      /:\(\)\s{0,4}\{\s{0,4}:\s{0,4}\|\s{0,4}:\s{0,4}&|>\s{0,4}\/dev\/sd[a-z]/i,
      /\bformat\s{1,4}[a-z]:\s{0,4}\/|\bdel\s{1,4}\/[fsq]\s/i,
    ]),
  ],
  [
    'code',
    union('i', [
      /<\?(?:php|=)[\s\S]{0,200}?\b(?:system|exec|passthru|shell_exec|popen|eval|file_get_contents)\s{0,4}\(/i,
      /(?:^|[;'")&|])\s{0,4}(?:system|passthru|shell_exec|popen|proc_open|pcntl_exec|eval|exec)\s{0,4}\(\s{0,4}['"$`]/i,
      /__import__\s{0,4}\(\s{0,4}['"](?:os|subprocess)['"]/i,
      /\brequire\s{0,4}\(\s{0,4}['"]child_process['"]\s{0,4}\)\s{0,4}\.\s{0,4}exec/i,
      /\bgetRuntime\s{0,4}\(\s{0,4}\)\s{0,4}\.\s{0,4}exec\s{0,4}\(/i,
    ]),
  ],
  ['shellshock', /\(\)\s{0,4}\{\s{0,4}:?\s{0,4};?\s{0,4}\}\s{0,4};/],
  [
    'encoded_command',
    /\b(?:powershell|pwsh)(?:\.exe)?\b[^\n]{0,100}\s-(?:e|en|enc|enco|encod|encodedcommand|ec)\s{1,4}[A-Za-z0-9+/=]{16,}/i,
  ],
  [
    'exfiltration',
    union('i', [
      /\b(?:curl|wget)\b[^\n|;&]{0,160}(?:-d|--data(?:-binary|-raw)?|-F|-T|--upload-file|--post-file)[\s=]{1,4}['"]?(?:@|\w{1,20}=@|\/etc\/|~\/)[^\s]{2,}/i,
      /\/etc\/(?:shadow|passwd)\b[^\n]{0,20}\|\s{0,8}(?:nc|curl|mail|ncat)\b/i,
      /\b(?:curl|wget|nslookup|dig|ping)\b[^\n]{0,120}(?:\$\(|`)\s{0,4}(?:whoami|id|hostname|cat|uname|base64|env)\b/i,
    ]),
  ],
]
const secretFiles =
  /\/etc\/(?:shadow|passwd|sudoers)\b|\/\.ssh\/|\bid_rsa\b|\/\.aws\/credentials|\/proc\/self\/environ|\bSAM\b.{0,20}\bsystem32\b/i

/** Shells by name, where the argument is no command: `cmd.exe /c dir`, `/bin/sh -c id`. */
const shells = union('i', [
  /(?:^|[\s;|&"'`(,=])(?:(?:\/\w{1,10}){1,4}\/(?:ba|z|da|k|c|tc)?sh\b|(?:c:\\\S{1,60})?(?:cmd(?:\.exe)?\s{1,4}\/[ckr]\b|powershell(?:\.exe)?\s{1,4}-\w)|bash\s{1,4}-[ic]\b|sh\s{1,4}-c\b)/i,
  /%COMSPEC%|\$\{IFS\}|\$IFS\b/i,
  /%(?:PATH|ProgramFiles|SystemRoot|HOMEPATH)(?::~|:)[-\d,]{1,8}%/i,
])
/** Options that make a program run another, or write where it should not. */
const options =
  /(?:^|\s)(?:-o\s{0,4}["']?(?:ProxyCommand|LocalCommand|PermitLocalCommand|KnownHostsCommand)\s{0,2}=|--(?:upload-pack|receive-pack|use-compress-program|checkpoint-action|rsh|open-files-in-pager|to-command|use-askpass|post-file|rsh-command|info-script|new-volume-script|gpg-program|prefix-command|init-command|proxy-command|pager)=\S|-c\s{0,4}(?:core\.(?:sshCommand|pager|editor|gitProxy|hooksPath)|protocol\.ext\.allow|alias\.\w{1,20})=|--config(?:=|\s)\S{0,40}(?:core\.|protocol\.ext)|ext::\S|-exec(?:dir)?\s{1,4}\S|-ex\s{1,4}['"!]|--eval[= ]\S|-I\s{1,4}\S{0,20}(?:sh|cmd)\b)/i
/** The same, where they are all that the argument is. */
const leadingOption =
  /^\s{0,4}(?:--(?:output(?:-document|-file|-dir)?|directory-prefix|exec|config|file|load|script|plugin|require|import|include|proxy|post-data|upload-file|data|dump|batch-file|log-file|target-directory|reference|suid-shell|hosts-file|compress-program|interpreter|execute|command|help-pager)=\S|-[oOKTfFr]\s{0,4}(?:\/|\.\.\/|~\/|C:\\)\S|-[ec]\s{1,4}(?:\S{0,30}(?:sh|cmd|exec|system|id|whoami)\b|['"])|-{1,2}(?:exec|e|eval|r)\s{1,4}\S)/i

/** @returns the surest sign of a command in `text`. */
export function shell(text: string, role: Piece['role']): Sighting | undefined {
  if (!hint.test(text)) return undefined
  let seen: Sighting | undefined
  for (const [what, form] of harmful) {
    if (form.test(text)) seen = surer(seen, { what, confidence: 'high' })
  }
  seen = surer(seen, afterSeparator(text, role))
  if (role === 'command') return seen
  if (shells.test(text)) {
    const isVariable = /%COMSPEC%|IFS|:~/i.test(text)
    const isShebang = text.startsWith('#!')
    seen = surer(seen, {
      what: 'shell',
      confidence: isShebang ? 'low' : isVariable || text.length < 400 ? 'high' : 'medium',
    })
  }
  if (options.test(text)) seen = surer(seen, { what: 'option', confidence: 'high' })
  else if (leadingOption.test(text)) seen = surer(seen, { what: 'option', confidence: 'high' })
  return seen
}

function afterSeparator(text: string, role: Piece['role']): Sighting | undefined {
  let seen: Sighting | undefined
  let count = 0
  separator.lastIndex = 0
  for (
    let found = separator.exec(text);
    found !== null && count < placesMax;
    found = separator.exec(text)
  ) {
    count++
    const [sign] = found
    const rest = text.slice(found.index + sign.length, found.index + behindMax)
    const one = weigh(text, found.index, sign, rest, role)
    seen = surer(seen, one)
    if (seen?.confidence === 'high' && role !== 'command') break
  }
  separator.lastIndex = 0
  return seen
}

function weigh(
  text: string,
  at: number,
  sign: string,
  rest: string,
  role: Piece['role'],
): Sighting | undefined {
  const kind = commandAt(rest)
  if (kind === undefined) return undefined
  const isSubstituted = sign === '$(' || sign === '`' || sign === '<(' || sign === '>('
  const what = isSubstituted ? 'substitution' : sign.includes('\n') ? 'new_line' : 'second_command'
  if (role === 'command') {
    const isHarm =
      secretFiles.test(rest) || (kind === 'recon' && !/grep|wc\b/.test(rest.slice(0, 40)))
    return { what, confidence: isHarm ? 'high' : 'low' }
  }
  if (kind === 'tool') {
    const words = wordsOf(text.slice(0, at))
    if (sign === '`' || words >= 2) return { what, confidence: 'low' }
    return {
      what,
      confidence:
        isSubstituted || words === 0 || /^\S+$/.test(text.slice(0, at)) ? 'high' : 'medium',
    }
  }
  if (sign === '`') return ticked(text, at, rest, kind)
  const isFirst = text.slice(Math.max(0, at - 40), at).trim() === ''
  if (kind === 'bare') {
    const isList =
      !isFirst && !isSubstituted && /[|;&,]/.test(sign) && (text.match(/[|;&,]/g)?.length ?? 0) > 1
    const isTight =
      /^\S/.test(rest) && /\S$/.test(text.slice(0, at)) && wordsOf(text.slice(0, at)) <= 1
    return {
      what,
      confidence: isList ? 'low' : isSubstituted || isFirst || isTight ? 'high' : 'medium',
    }
  }
  if (sign === '|' && isAlternative(text, at, rest, kind)) return undefined
  if (sign === '&' && role === 'url' && kind === 'weak') return { what, confidence: 'low' }
  if (kind === 'weak' && isCell(text, at, sign, rest)) return { what, confidence: 'low' }
  if (kind === 'weak' && /^[;&|\n]$/.test(sign) && wordsOf(text.slice(0, at)) >= 4) {
    return { what, confidence: 'medium' }
  }
  return { what, confidence: 'high' }
}

/** `` `id` `` is a command for a shell, and a name in Markdown. */
function ticked(text: string, at: number, rest: string, kind: string): Sighting | undefined {
  const end = rest.indexOf('`')
  if (end < 0) return undefined
  const outside = text.slice(0, at) + text.slice(at + end + 2)
  if (wordsOf(outside) >= 3) return { what: 'substitution', confidence: 'low' }
  const before = text.charAt(at - 1)
  const isTight = before !== '' && !/\s/.test(before)
  const isSure =
    kind === 'recon' || isTight || outside.trim() === '' || /\s/.test(rest.slice(0, end).trim())
  return { what: 'substitution', confidence: isSure ? 'high' : 'medium' }
}

/** `(cat|ls|id)`, `curl|wget`: words to choose from, as regular expressions and lists have them. */
function isAlternative(text: string, at: number, rest: string, kind: string): boolean {
  const isTight = /[\w)\]]/.test(text.charAt(at - 1)) && /^\w/.test(rest)
  if (!isTight) return false
  const word = /^[\w.-]{1,40}(?=$|[|)])/.exec(rest)
  if (word === null) return false
  const pipes = text.split('|', 4).length - 1
  return !(kind === 'recon' && pipes === 1) && !(pipes === 1 && /[\d.]$/.test(text.slice(0, at)))
}

/** A word alone between separators: a cell of a table, a column of a header, a line of a list. */
function isCell(text: string, at: number, sign: string, rest: string): boolean {
  const isLine = sign.includes('\n')
  if (!isLine && sign !== '|' && sign !== ';' && sign !== '&') return false
  const cell =
    /^(\s{0,8})(\w{1,10})(\s{0,8})(?:$|[|;&,\n]|(?<=\w)['")]{1,3}\s{0,4}(?:$|[|;&]))/.exec(rest)
  if (cell === null) return false
  const before = text.slice(0, at).trim()
  const cells = text.slice(0, 2048).split(isLine ? /[\r\n]+/ : sign)
  const filled = cells.filter((one) => /\w/.test(one)).length
  if (isLine) return filled > 2 || !/^(?:id|ls|pwd|ps)$/.test(cell[2] ?? '')
  if (before === '') return cell[1] !== '' && cell[3] !== ''
  if (/^-?[\d.]{1,40}$/.test(before) || /(?:\.\w{1,5}|['")])$/.test(before)) return filled > 2
  if (header.test(before) || cell[1] !== '') return true
  return filled > 2 || cell[2] !== 'id'
}

/** Names of columns, after which `id` is one more. */
const header =
  /(?:^|[;|,\s])(?:name|user|date|type|title|email|status|value|key|code|group|amount|city|time|total|price|description|country|currency|number|order|account|customer|sku|product)s?$/i
