/** Words with which commands begin, and what must follow before prose counts as a command. */

/** Nobody writes these by accident behind a separator. `recon` asks who and where one is. */
const recon =
  'whoami ifconfig ipconfig uname netstat systeminfo tasklist hostnamectl printenv lsb_release getent quser lscpu arp lsof'
const strong =
  'nc ncat netcat wget curl bash zsh ksh csh dash powershell pwsh cmd chmod chown mkfifo telnet nslookup certutil ' +
  'bitsadmin wmic rundll32 mshta schtasks tftp scp sshpass socat useradd usermod adduser crontab iptables systemctl ' +
  'reboot mkfs xxd nmap tcpdump traceroute tracert sudo regsvr32 cscript wscript vssadmin icacls takeown gcc ' +
  'printf rmdir unlink md5sum sha1sum dnscat wevtutil phpinfo rsync gzip tar zip chpasswd visudo insmod xcopy robocopy'
const weak: readonly (readonly [words: string, follows: RegExp])[] = [
  ['rm', /^\s{1,8}(?:-\w{1,4}\b|[/~*.$]|\w{1,40}\.\w{1,5}\b)/],
  ['sh', /^\s{0,8}(?:-\w|$|<)|^\s{1,8}[\w./-]{1,60}\.sh\b/],
  [
    'cat more less head tail nl tac od strings tee file stat wc cut sort uniq fold paste rev base64 base32 grep egrep fgrep',
    /^\s{1,8}(?:-{1,2}\w[\w=-]{0,30}\s{1,4}(?:\d{1,6}\s{1,4})?)?(?:['"$]?[~./\\*$?]|['"]?[\w-]{1,60}(?:\/|\.\w{1,6}\b)|[A-Za-z]:\\|\$)/,
  ],
  ['ls dir', /^\s{0,8}(?:$|[;|&>)`}\n]|-{1,2}\w|[~./\\*$]|[A-Za-z]:(?:\\|$|\s))/],
  [
    'id env pwd set ver w who ps hostname date uptime last df history jobs exit mount groups users logname tty finger',
    /^\s{0,4}(?:$|[;|&>)`}\n#]|-{1,2}[a-zA-Z]{1,6}\b|aux\b)/,
  ],
  ['sleep timeout', /^\s{1,8}(?:\/t\s{1,4})?\d{1,5}[smh]?\s{0,4}(?:$|[;|&)`}\n#'"])/],
  [
    'ping ping6',
    /^\s{1,8}(?:-\w{1,2}\s{0,4}\d{1,5}\b|-\w\b|\d{1,3}\.\d|[\w.-]{1,60}\.\w{2,10}\b|localhost)/,
  ],
  ['echo print', /^\s{0,8}(?:['"$%>(`;|&]|-[ne]\b|[\w.-]{0,60}\s{0,4}(?:>|$|[;|&`)]))/],
  [
    'type copy del erase move start attrib md rd ren',
    /^\s{1,8}(?:\/\w\b|[A-Za-z]:\\|%\w{2,20}%|\\\\|\.{1,2}\\|[\w-]{1,40}\.(?:txt|ini|exe|bat|ps1|cmd|vbs|log|conf|config|sam)\b|\*)/,
  ],
  ['find', /^\s{1,8}(?:[/~.]|-name\b|\$)/],
  ['net', /^\s{1,8}(?:user|localgroup|group|view|share|start|stop|use|accounts)\b/],
  ['reg', /^\s{1,8}(?:query|add|delete|save|export)\b/],
  ['kill killall pkill', /^\s{1,8}-(?:9|\w{3,8})\b|^\s{1,8}\d{2,6}\s{0,4}$/],
  [
    'touch cp mv ln mkdir install cd source open',
    /^\s{1,8}(?:-\w{1,4}\s{1,4})?(?:[/~.$]|[\w-]{1,40}\.\w{1,5}\b|\*)/,
  ],
  [
    'python python2 python3 perl ruby php node lua awk gawk',
    /^\s{1,8}(?:-[cerE]\b|-S\b|['"]?(?:BEGIN\s{0,4})?\{|[\w./-]{1,60}\.(?:py|pl|rb|php|js|lua)\b)/,
  ],
  ['dig host', /^\s{1,8}(?:[\w$`({@+-]{1,60}\.[\w$.-]{2,60}|\$\(|`)/],
  [
    'ssh mysql psql sqlite3 mongo redis-cli ftp',
    /^\s{1,8}(?:-{1,2}\w|[\w.-]{1,40}@|\w{1,20}\s{1,4}[\w./:@-]{2,80}(?:\s|$)|exec\b|install\b|run\b)/,
  ],
  ['passwd su halt poweroff init', /^\s{0,4}(?:$|[;|&)`\n]|-\w|root\b|\d\b)/],
  ['shutdown', /^\s{0,4}(?:$|[;|&)`\n]|-\w|\/[srtf]\b|now\b)/],
  ['dd', /^\s{1,8}(?:if|of)=/],
  ['sed', /^\s{1,8}(?:-\w|['"]?s?\/)/],
  [
    'xargs eval nohup busybox time command exec env',
    /^\s{1,8}(?:-\w|['"$`/({]|(?:\/\w{1,12}\/)*(?:ba|z|da|k|c)?sh\b|cat\b|ls\b|nc\b|wget\b|curl\b|rm\b|id\b|whoami\b)/,
  ],
  ['export alias', /^\s{1,8}\w{1,30}=/],
  [
    'get-content invoke-webrequest invoke-expression iex iwr get-process get-childitem start-process new-object invoke-restmethod remove-item',
    /^\s{0,8}(?:$|['"(-]|[\w:\\./$-]{2,80})/,
  ],
]

const reconWords = new Set(recon.split(' '))
const strongWords = new Set(`${recon} ${strong}`.split(' '))
const weakWords: ReadonlyMap<string, readonly RegExp[]> = collected()

function collected(): Map<string, RegExp[]> {
  const all = new Map<string, RegExp[]>()
  for (const [words, follows] of weak) {
    for (const word of words.split(' ')) all.set(word, [...(all.get(word) ?? []), follows])
  }
  return all
}

const tools =
  /^(?:git|svn|docker|npm|npx|pnpm|yarn|pip3?|make|cargo|go|brew|apt|apt-get|yum|kubectl|terraform|node|openssl)$/

/** How surely a command starts here; `tool`: one of a programmer's; `bare`: a strong word alone, as it might stand in a list. */
export type Command = 'recon' | 'strong' | 'weak' | 'bare' | 'tool'

const wordForm =
  /^(?:(?:\/[\w.?*-]{1,20}){0,5}\/)?([a-z][\w.-]{0,30}?)(?:\.exe|\.bat|\.com)?(?=$|[\s;|&<>)`}\n(,'"#])/i
const wrapper =
  /^(?:sudo|nohup|exec|time|command|env|busybox|start|call|then|do|eval)\s{1,8}(?:\/[bi]\s{1,4}|-\w\s{1,4}){0,3}(?=\S)/i
const argument =
  /^\s{1,8}(?:-{1,2}\w|[~/.$*'"`(]|[\w.-]{1,80}[./:@=\\-]|\d|https?:|\w{1,40}\s{0,4}(?:$|[;|&>)`]))/

/**
 * What stands at the beginning of `rest`, tricks undone.
 * @param rest at most 300 characters behind a separator.
 */
export function commandAt(rest: string): Command | undefined {
  let text = plain(rest)
  const wrapped = wrapper.exec(text)?.[0]
  const isWrapped = wrapped !== undefined
  if (isWrapped) text = text.slice(wrapped.length)
  if (/^\/[\w?*]{1,12}\/[\w?*]{0,12}[?*]/.test(text)) return 'strong'
  const found = wordForm.exec(text)
  if (found === null) return undefined
  const [all, name = ''] = found
  const word = name.toLowerCase()
  const behind = text.slice(all.length)
  const isByPath = /^\/(?:usr|bin|sbin|opt|etc|\?)/.test(all)
  if (tools.test(word) && /^\s{1,4}(?:-{1,2}\w|[\w@./-]{2,60})/.test(behind)) {
    return isByPath || /^\s{1,4}-[ecr]\b|^\s{1,4}run\s{1,4}-v/.test(behind) ? 'strong' : 'tool'
  }
  if (reconWords.has(word))
    return /^\s{1,4}[a-z]{2,20}\s[a-z]{2,20}\s/i.test(behind) ? undefined : 'recon'
  if (strongWords.has(word)) {
    if (isByPath || argument.test(behind)) return 'strong'
    return /^\s{0,4}(?:$|[;|&)`}\n<>#])/.test(behind) ? 'bare' : undefined
  }
  if (isByPath) return 'strong'
  return weakWords.get(word)?.some((follows) => follows.test(behind)) ? 'weak' : undefined
}

/** `c'a't`, `c\at`, `cat${IFS}x`, `{cat,x}`, `cat<x`, `ca$@t`, `c^at`: `cat x`. */
function plain(rest: string): string {
  let text = rest.replace(/^[\s(!'"]{0,16}/, '')
  const braced = /^\{([\w./-]{1,40}(?:,[^,{}]{1,80}){1,8})\}/.exec(text)
  if (braced !== null)
    text = `${(braced[1] ?? '').replaceAll(',', ' ')}${text.slice(braced[0].length)}`
  text = text
    .replaceAll(/\$\{?IFS\}?(?:\$\d)?|\$IFS\$?\d?|\$\{IFS[^}]{0,12}\}/g, ' ')
    .replaceAll(/\$[@*]|\$\{[@*]\}|\$\(\)|\$[u\d](?=\w)|``/g, '')
    .replaceAll(/\t/g, ' ')
  const end = text.search(/[\s;|&<>]/)
  const head = end < 0 ? text : text.slice(0, end)
  const clean = /^[\w./\\'"^?*-]+$/.test(head)
    ? head
        .replaceAll(/(?<=\w)(?:''|""|['"\\^])(?=\w)|(?<=\w)['"](?=\w|$)|^\\(?=[a-z])/gi, '')
        .replaceAll(/(?<=\w)['"](?=\w)/g, '')
    : head
  const tail = end < 0 ? '' : text.slice(end)
  return `${clean}${tail.replace(/^<(?!\()/, ' ')}`
}
