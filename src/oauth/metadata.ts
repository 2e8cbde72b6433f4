/**
 * What a client says of itself (RFC 7591 §2), cut down to what is used and made to mean what such
 * clients mean by it. It is the word of a stranger: nothing here is believed, only kept within
 * bounds.
 */

/** `document`: found at its client id (draft-ietf-oauth-client-id-metadata-document). */
export type MetadataKind = 'dynamic' | 'document'

export type Tidied =
  | { readonly metadata: Readonly<Record<string, unknown>> }
  | { readonly error: 'invalid_redirect_uri' | 'invalid_client_metadata'; readonly why: string }

/** Whatever was asked for: clients name scopes of others here, and later ask for more of ours than they
 *  named (`offline_access`); both would be refused. What a token may do is no matter of scopes. */
export const scopes: readonly string[] = ['openid', 'offline_access', 'mcp']
const redirectsMax = 10
const redirectCharactersMax = 2000
const nameCharactersMax = 200
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/**
 * Schemes that no program of that kind has taken. There is no telling by form which are a program's
 * own (`cursor:`, `com.example.app:`), so these are known ones: what a browser handles itself, what
 * names no program, and what makes a system run, open or change something, as addresses of attackers
 * have done (`ms-msdt`: CVE-2022-30190; `search-ms`; `vnd.libreoffice.command`: CVE-2022-3140).
 */
const takenSchemes: ReadonlySet<string> = new Set(
  `http https javascript livescript mocha vbscript data blob file filesystem about ftp ftps sftp tftp
  ws wss view-source wyciwyg jar mhtml mk res resource cid mid urn tag geo mailto tel sms callto sip
  sips facetime facetime-audio chrome chrome-extension chrome-search chrome-untrusted devtools edge
  brave opera vivaldi moz-extension safari-web-extension android-app intent content market
  search search-ms shell hcp help knownfolder wscript windowsdefender onenote odopen lyncconf steam ldap ldaps
  telnet rlogin tn3270 ssh rdp vnc smb nfs afp dav davs gopher news nntp snews dict irc ircs magnet
  feed itms itms-apps itms-appss itms-services prefs app-settings app-prefs shortcuts workflow
  applescript message x-apple-helpbasic x-man-page x-web-search wtai vnd.libreoffice.command
  vnd.libreoffice.cmd vnd.sun.star.script vnd.sun.star.help`.split(/\s+/),
)
/** Those of Windows and its programs, of macOS's settings, and letters of drives. */
const takenForms = /^(ms-.*|x-apple[.-].*|[a-z])$/

/** Loopback by address or name, as native programs listen on it (RFC 8252 §7.3). */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]'
}

/** Whether a redirect goes to a program on the person's own machine. */
export function isNative(url: URL): boolean {
  return url.protocol !== 'https:' && (url.protocol !== 'http:' || isLoopback(url))
}

/**
 * @param said the body of a registration, or a document.
 * @returns the members that count: redirects checked, all of our scopes, `native` where all
 *   redirects are of that kind and nothing is said, and no secret.
 */
export function tidyMetadata(said: unknown, kind: MetadataKind): Tidied {
  if (typeof said !== 'object' || said === null || Array.isArray(said)) {
    return bad('the metadata is not a JSON object')
  }
  const member = (name: string): unknown =>
    Object.hasOwn(said, name) ? Reflect.get(said, name) : undefined
  const secretly = /^client_secret_(basic|post|jwt)$/
  if (
    kind === 'document' &&
    (member('client_secret') !== undefined ||
      secretly.test(String(member('token_endpoint_auth_method'))))
  ) {
    return bad('a document that everybody can read names a secret')
  }
  const found = redirectsOf(member('redirect_uris'))
  if ('error' in found) return found
  const name = member('client_name')
  if (name !== undefined && !isName(name)) {
    return bad(`client_name must be a text of at most ${nameCharactersMax} characters`)
  }
  const type = member('application_type')
  const isAllNative = found.urls.every(isNative)
  return {
    metadata: {
      ...(kind === 'document' ? { client_id: member('client_id') } : {}),
      redirect_uris: found.urls.length === 0 ? [] : member('redirect_uris'),
      ...(name === undefined ? {} : { client_name: name }),
      application_type: type ?? (isAllNative ? 'native' : 'web'),
      grant_types: grantTypesOf(member('grant_types'), kind),
      response_types: ['code'],
      scope: scopes.join(' '),
      ...authOf(member, kind),
    },
  }
}

function redirectsOf(said: unknown): { urls: URL[] } | Exclude<Tidied, { metadata: unknown }> {
  const no = (why: string): Exclude<Tidied, { metadata: unknown }> => ({
    error: 'invalid_redirect_uri',
    why,
  })
  if (!Array.isArray(said) || said.length === 0) return no('redirect_uris must have a member')
  if (said.length > redirectsMax) return no(`at most ${redirectsMax} redirect_uris are taken`)
  const urls: URL[] = []
  for (const one of said as readonly unknown[]) {
    const url = typeof one === 'string' ? URL.parse(one) : null
    const flaw = url === null || typeof one !== 'string' ? 'is no URI' : flawOf(url, one)
    if (url === null || flaw !== undefined) return no(`a member of redirect_uris ${flaw}`)
    urls.push(url)
  }
  return { urls }
}

/** Why a redirect is not taken. OAuth 2.1 §2.3, RFC 8252 §7 and §8.4, RFC 9700 §2.1. */
function flawOf(url: URL, text: string): string | undefined {
  if (text.length > redirectCharactersMax) return 'is too long'
  if (text.includes('*')) return 'has a wildcard; each must be written out'
  if (text.includes('#')) return 'has a fragment'
  if (/[\s\\\p{Cc}]/u.test(text)) return 'has characters which addresses do not have'
  if (url.username !== '' || url.password !== '') return 'holds credentials'
  if (url.protocol === 'https:') return isLoopback(url) ? 'is https on loopback' : undefined
  if (url.protocol === 'http:') {
    return isLoopback(url) ? undefined : 'is plain http, which is for loopback only'
  }
  const scheme = url.protocol.slice(0, -1).toLowerCase()
  const isTaken = takenSchemes.has(scheme) || takenForms.test(scheme)
  return isTaken ? "has a scheme which is no program's own" : undefined
}

function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= nameCharactersMax &&
    value.isWellFormed()
  )
}

function grantTypesOf(said: unknown, kind: MetadataKind): readonly string[] {
  const known = ['refresh_token', ...(kind === 'document' ? [jwtBearer] : [])]
  const asked: readonly unknown[] = Array.isArray(said) ? said : []
  return ['authorization_code', ...known.filter((type) => asked.includes(type))]
}

/** Who registers itself gets no secret: it could not keep one, and nothing is believed for it. */
function authOf(
  member: (name: string) => unknown,
  kind: MetadataKind,
): Readonly<Record<string, unknown>> {
  const isKeyed = kind === 'document' && member('token_endpoint_auth_method') === 'private_key_jwt'
  if (!isKeyed) return { token_endpoint_auth_method: 'none' }
  const jwks = member('jwks')
  return {
    token_endpoint_auth_method: 'private_key_jwt',
    ...(jwks === undefined ? { jwks_uri: member('jwks_uri') } : { jwks }),
  }
}

function bad(why: string): Tidied {
  return { error: 'invalid_client_metadata', why }
}
