/** Paths that leave the folder they should stay in, or name files nobody should ask for. */
import type { Piece, Sighting } from './piece.ts'
import { surer } from './prose.ts'
import { union } from './union.ts'

const partMax = 65_536
const hint = /\.\.|%2e|%c0|%u00|[/\\]|\0|\.env|id_rsa|file:|::\$/i

/** A step up, or several. Dots and separators of many bytes have been undone by the layers before. */
const step =
  /(?:^|[\s/\\"'=:(,@[{<;|&?#])(?:\.{2,4};?[/\\]{1,4}){1,40}(?=[^\s]|$)|(?:[/\\]{1,3}\.{2}){2,40}|\.{2}[/\\]\.{2}(?=$|[/\\])/g
const disguised = union('i', [
  /%(?:25)?c[01]%|\.\.%u[\da-f]{4}|(?:0x2e){2}/i,
  /\.{2,4}(?:%(?:25){0,3}(?:2f|5c|u2215|u2216|c0%af|c1%9c)|0x2f|0x5c)/i,
  /%(?:25){0,3}2e(?:%(?:25){0,3}2e|\.)(?:[/\\]|%(?:25){0,3}(?:2f|5c)|$)/i,
  /\.%(?:25){0,3}2e(?:[/\\]|%(?:25){0,3}(?:2f|5c))/i,
  /%(?:25){0,2}c[01]%(?:25){0,2}(?:ae|af|9c|2f|5c)|%e0%80%ae/i,
  /%(?:25){0,2}u(?:002e|2024|2215|2216|ff0e|ff0f)|\.{4,12}[/\\]{2,8}|\.{2,12};[/\\]/i,
  /\.{2}\/\.{1,2}\/\.{2}\/{2}|0x2e0x2e0x(?:2f|5c)/i,
  /\.{2}[\u2044\u2215\u2216\uff0f\uff3c\u29f8]|[\uff0e\u2024]{2}[/\\\uff0f]/i,
  /(?:\.\\\.\/){2,8}|(?:\.\/\\\.){2,8}|\.\.(?:\/\/|\\\\)\.\.|\?\.\.[/\\]|\.[\r\n]\.[/\\]/i,
])

/** Files with secrets, of which a plain name is enough. */
const secret =
  /^['"]?(?:file:)?(?:[/\\]{0,3}[A-Za-z]:)?[/\\]{1,4}(?:\.[/\\]{1,2}){0,8}(?:etc[/\\]{1,4}(?:passwd|shadow|gshadow|sudoers|master\.passwd|hosts|group|issue|fstab|crontab|ssh[/\\]|my\.cnf|mysql[/\\]|apache2?[/\\]|httpd[/\\]|nginx[/\\]nginx\.conf|security[/\\]|krb5|kubernetes[/\\]|pki[/\\]|ssl[/\\]private|environment|profile|resolv\.conf|motd|exports|rc\.local|inittab|vsftpd|samba|openldap|postgresql|php|redis|hostname|os-release|redhat-release)|proc[/\\]{1,4}(?:self|version|\d{1,7}|net|cpuinfo|mounts|cmdline|sched_debug|environ|config\.gz)|root[/\\]{1,4}\.?\w|var[/\\]{1,4}(?:run[/\\]secrets|lib[/\\]mysql|lib[/\\]mlocate|lib[/\\]kubelet|mail|spool[/\\](?:cron|mail)|log[/\\](?:auth|secure|wtmp|btmp|lastlog|apache2?[/\\]|httpd[/\\]|nginx[/\\]|messages|syslog|vsftpd|mail|faillog|dmesg)|run[/\\]docker\.sock|www[/\\][\w/\\.-]{0,60}(?:config|\.ht(?:access|passwd)|\.env|settings))|run[/\\]secrets|dev[/\\](?:fd[/\\]|stdin|mem|kmem|random|zero)|boot\.ini|windows[/\\]{1,4}(?:win\.ini|system\.ini|system32|repair|php\.ini|panther|debug|iis|system|setuperr)|winnt[/\\]{1,4}(?:win\.ini|system32|repair|system)|inetpub[/\\]|autoexec\.bat|system volume information|ntuser\.dat|pagefile\.sys)/i
const secretName =
  /(?:^|[/\\\s"'=:(@])(?:\.ssh[/\\]\w|id_(?:rsa|dsa|ed25519|ecdsa)(?=$|[\s"'\0%])|authorized_keys\b|\.aws[/\\](?:credentials|config)|\.kube[/\\]config|\.docker[/\\]config\.json|\.git[/\\](?:config|HEAD)|\.gitconfig\b|\.netrc\b|\.pgpass\b|\.my\.cnf\b|\.htpasswd\b|\.htaccess\b|\.bash_history\b|\.zsh_history\b|\.mysql_history\b|\.npmrc\b|\.pypirc\b|\.gnupg[/\\]|\.azure[/\\]|\.config[/\\]gcloud|web-inf[/\\]|meta-inf[/\\]|wp-config\.php|web\.config\b|\.vault-token|\.svn[/\\]|NTDS\.dit|shadow\.bak)/i
const environment = /(?:^|[/\\])\.env(?:\.(?!example|sample|template|dist)\w{1,16})?$/i
const target =
  /(?:passw|shadow|secret|credential|\.env\b|\bconfig(?:uration)?[/\\.]|\bconf[/\\.]|settings\.(?:py|php|json|ya?ml)|\.key\b|\.pem\b|\.pfx\b|\.p12\b|\.sqlite|\.db\b|\.bak\b|\.ini\b|\.conf\b|\.cnf\b|\.log\b|\.git\b|\.ssh\b|\.aws\b|\.kube|\.htac|wp-config|database|backup|dump|private|token|web\.xml|\betc\b|\bproc\b|\bvar\b|\broot\b|\bhome\b|\busr\b|\bboot\b|\bwindows\b|\bwinnt\b|\bsystem32\b|\bflag\b|\badmin|\bbin\b|\btmp\b|\bopt\b|\bproc\b|\bdev\b|credentials|\bUsers\b|\bkeys?\b)/i
/** What programs and pages are made of: files of a project which refer to each other. */
const project =
  /\.(?:[cm]?[jt]sx?|vue|svelte|py|pyi|go|rs|java|kt|rb|php|cs|cpp|cc|c|h|hpp|swift|scala|css|scss|sass|less|html?|mdx?|rst|svg|png|jpe?g|gif|webp|ico|woff2?|proto|graphql|gql|tf|gradle|toml|lock|txt|csv|ipynb|vue|tsbuildinfo|json)$/i
const projectName =
  /(?:^|[/\\])(?:package|tsconfig(?:\.\w+)?|composer|README|LICENSE|CHANGELOG|Makefile|Dockerfile|src|lib|packages|components|docs|tests?|utils|assets|images|shared|core|common|types|node_modules|include|dist|build|public|static|styles|fixtures|examples?|scripts|api|app|models?|hooks|services)(?:[/\\.]|$)/
const imports =
  /\b(?:import|from|require|include|use|export|source|href|src)\b\s{0,4}[('"<=]{0,3}\s{0,4}['"]?$/i

/** @returns the surest sign in `text` that it names a place it should not. */
export function pathTraversal(text: string, role: Piece['role']): Sighting | undefined {
  if (!hint.test(text)) return undefined
  const part = text.slice(0, partMax)
  let seen: Sighting | undefined
  if (disguised.test(part)) seen = { what: 'disguised_step', confidence: 'high' }
  seen = surer(seen, steps(part, role))
  // `.//..//`, `./.././../`, `.\\/\\.`: the same steps with padding.
  const plain = part
    .replaceAll(/([/\\])[/\\]{1,8}/g, '$1')
    .replaceAll(/(^|[/\\])(?:\.[/\\]){1,60}/g, '$1')
  if (plain !== part && !/:\/\//.test(part)) seen = surer(seen, steps(plain, role))
  return surer(seen, named(part, role))
}

function steps(text: string, role: Piece['role']): Sighting | undefined {
  let seen: Sighting | undefined
  let count = 0
  step.lastIndex = 0
  for (let found = step.exec(text); found !== null && count++ < 64; found = step.exec(text)) {
    const end = found.index + found[0].length
    const behind = /^[^\s"'`<>|;&)]{0,200}/.exec(text.slice(end, end + 200))?.[0] ?? ''
    const before = text.slice(Math.max(0, found.index - 160), found.index + 1)
    seen = surer(seen, weigh(found[0], before, behind, role))
    if (seen?.confidence === 'high') break
  }
  step.lastIndex = 0
  return seen
}

function weigh(
  run: string,
  before: string,
  behind: string,
  role: Piece['role'],
): Sighting | undefined {
  const what = 'step'
  const ups = run.split('..').length - 1
  const whole = `/${behind}`
  if (secret.test(whole) || secretName.test(whole) || environment.test(whole))
    return { what, confidence: 'high' }
  if (behind.includes('\0')) return { what: 'nul', confidence: 'high' }
  if (run.includes('....')) return { what: 'disguised_step', confidence: 'high' }
  if (imports.test(before.trimEnd())) return { what, confidence: 'low' }
  const isBack = run.includes('\\')
  const inside = /(?:[\w.-]{1,60}[/\\]{1,2}){1,16}$/.exec(before)?.[0] ?? ''
  const depth = inside.split(/[/\\]{1,2}/).filter((name) => name !== '' && name !== '.').length
  const isProject = project.test(behind) || projectName.test(whole)
  const isTarget =
    target.test(behind) && !(isProject && /\.(?:[cm]?[jt]sx?|py|go|rs|md|css|html)$/.test(behind))
  if (depth >= ups) return { what, confidence: isTarget ? 'medium' : 'low' }
  if (isProject && !isTarget && ups <= 4 && !isBack) return { what, confidence: 'medium' }
  if (isProject && !isTarget && ups <= 2) return { what, confidence: 'medium' }
  if (isTarget) return { what, confidence: ups >= 2 || role !== 'code' ? 'high' : 'medium' }
  if (ups >= 3) return { what, confidence: 'high' }
  if (role === 'path' || role === 'url' || role === 'value') {
    return { what, confidence: ups >= 2 && behind !== '' && depth === 0 ? 'high' : 'medium' }
  }
  return { what, confidence: 'medium' }
}

/** Absolute and plain names of what is secret; shares; NUL; `file:`. */
function named(text: string, role: Piece['role']): Sighting | undefined {
  const isShort = text.length <= 400
  if (/\0/.test(text) && isShort && role !== 'prose')
    return { what: 'nul', confidence: role === 'path' ? 'high' : 'medium' }
  const trimmed = text.trim()
  const isAlone = !/\s/.test(trimmed) || role === 'path'
  const isAbsolute =
    /^(?:['"]?(?:file:\/{0,4}|[A-Za-z]:)?[/\\]{1,4}|~[/\\]|[A-Za-z]:|\/|%(?:windir|systemroot|userprofile)%|\$HOME|\.?\/)/i.test(
      trimmed,
    )
  const ordinary =
    /^\/?(?:etc\/(?:os-release|resolv\.conf|nginx|apache2|php)|var\/log\/(?:nginx|apache2|httpd|syslog|messages))/
  if (isAlone && isAbsolute && secret.test(trimmed)) {
    return { what: 'secret_file', confidence: ordinary.test(trimmed) ? 'medium' : 'high' }
  }
  if (isAlone && isShort && secretName.test(trimmed))
    return { what: 'secret_file', confidence: role === 'code' ? 'medium' : 'high' }
  if (isAlone && isShort && environment.test(trimmed))
    return { what: 'secret_file', confidence: 'medium' }
  if (/^(?:etc|proc)[/\\](?:passwd|shadow|self)/i.test(trimmed))
    return { what: 'secret_file', confidence: 'high' }
  if (/^(?:php|expect|phar|zip|compress\.zlib|glob|data):\/\//i.test(trimmed))
    return { what: 'wrapper', confidence: 'high' }
  if (/^\\\\[\w.?$-]{1,80}\\[\w$.-]{1,80}/.test(trimmed) && role !== 'prose' && role !== 'code')
    return {
      what: 'share',
      confidence: /^\\\\(?:\?|\.|\d|localhost)|\$/.test(trimmed) ? 'high' : 'medium',
    }
  if (/::\$(?:DATA|INDEX_ALLOCATION)\b/i.test(text)) return { what: 'stream', confidence: 'high' }
  if (
    /(?:^|[\s"'=:(@])[/\\](?:etc[/\\](?:passwd|shadow)|proc[/\\]self|root[/\\]\.ssh)/.test(text)
  ) {
    return {
      what: 'secret_file',
      confidence: isShort && role !== 'prose' && role !== 'code' ? 'high' : 'medium',
    }
  }
  return undefined
}
