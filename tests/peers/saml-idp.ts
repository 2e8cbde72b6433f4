/** A SAML 2.0 identity provider: a login page for browsers, and answers on demand for the rest. */
import { createVerify, X509Certificate } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inflateRawSync } from 'node:zlib'
import { escape, goodWish, logoutQuery, makeSamlKey, persistent } from './saml-messages.ts'
import { post, protocolUri } from './saml-messages.ts'
import type { LogoutWish, SamlKey, Wish } from './saml-messages.ts'

/** Somebody at the provider; a value alone is a list of one. */
export interface SamlUser {
  readonly nameId: string
  readonly nameIdFormat?: string
  readonly attributes?: Readonly<Record<string, string | readonly string[]>>
}

/** The form that a browser posts to whoever asked. */
export interface Posted {
  readonly SAMLResponse: string
  readonly RelayState: string
}

/** What somebody asked the provider for. */
export interface AuthnRequest {
  readonly id: string
  readonly issuer: string
  readonly acsUrl: string
  readonly isFresh: boolean
  readonly relayState: string
  readonly isSigned: boolean
  readonly xml: string
}

export interface SamlIdp {
  readonly entityId: string
  readonly entryPoint: string
  readonly metadataUrl: string
  readonly certificatePem: string
  readonly key: SamlKey
  /** By the name that is typed into the login page; may be changed. */
  readonly users: Map<string, SamlUser>
  /** Every request that came, in order. */
  readonly requests: AuthnRequest[]
  /** Wished of every response from now on. */
  wishes: Partial<Wish>
  /** Signs a user in without a browser. @param redirect where a browser was sent. */
  answer(redirect: URL, user: string, over?: Partial<Wish>): Posted
  /** A logout request by redirect, as a whole address. */
  logoutAddress(logoutUrl: string, over: Partial<LogoutWish> & { nameId: string }): URL
  close(): Promise<void>
}

export interface SamlIdpOptions {
  readonly users?: Readonly<Record<string, SamlUser>>
  /** Where it is missing, the address of the metadata. */
  readonly entityId?: string
  readonly key?: SamlKey
  readonly nowMs?: () => number
  /** When set, requests must be signed by it. */
  readonly requestCertificatePem?: string
}

/** Starts one on a free port of 127.0.0.1. Needs the `openssl` program where no key is handed in. */
export async function startSamlIdp(options: SamlIdpOptions = {}): Promise<SamlIdp> {
  const key = options.key ?? makeSamlKey()
  const server = createServer((request, response) => {
    answerBrowser(idp, options, request, response).catch(() => {
      response.writeHead(400, { 'content-type': 'text/plain' }).end('No such request.')
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const nowMs = options.nowMs ?? Date.now
  const idp: SamlIdp = {
    entityId: options.entityId ?? `${origin}/metadata`,
    entryPoint: `${origin}/sso`,
    metadataUrl: `${origin}/metadata`,
    certificatePem: key.certificatePem,
    key,
    users: new Map(Object.entries(options.users ?? {})),
    requests: [],
    wishes: {},
    answer: (redirect, user, over = {}) =>
      respond(idp, readRequest(redirect, options), user, nowMs(), over),
    logoutAddress: (logoutUrl, over) => {
      const usual = { key, issuer: idp.entityId, destination: logoutUrl, nowMs: nowMs() }
      return new URL(`${logoutUrl}?${logoutQuery({ ...usual, ...over })}`)
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
  return idp
}

function respond(
  idp: SamlIdp,
  request: AuthnRequest,
  name: string,
  nowMs: number,
  over: Partial<Wish>,
): Posted {
  idp.requests.push(request)
  const user = idp.users.get(name)
  if (user === undefined) throw new Error(`no user ${name}`)
  const attributes = Object.entries(user.attributes ?? {}).map(
    ([attributeName, value]) => [attributeName, [value].flat().map(escape)] as const,
  )
  const needed = { key: idp.key, issuer: idp.entityId, audience: request.issuer, nowMs }
  const asked = { acsUrl: request.acsUrl, requestId: request.id }
  const nameIdFormat = user.nameIdFormat ?? persistent
  const who = { nameId: escape(user.nameId), nameIdFormat, attributes }
  const wish = goodWish({ ...needed, ...asked }, { ...who, ...idp.wishes, ...over })
  return { ...post(wish), RelayState: request.relayState }
}

/** Reads an AuthnRequest by redirect, and its signature where a certificate is known. */
function readRequest(url: URL, { requestCertificatePem }: SamlIdpOptions): AuthnRequest {
  const encoded = url.searchParams.get('SAMLRequest') ?? ''
  const xml = inflateRawSync(Buffer.from(encoded, 'base64')).toString('utf8')
  const at = (pattern: RegExp): string => pattern.exec(xml)?.[1] ?? ''
  const isSigned = url.searchParams.has('Signature')
  if (requestCertificatePem !== undefined) {
    const names = ['SAMLRequest', 'RelayState', 'SigAlg'].filter((name) =>
      url.searchParams.has(name),
    )
    const raw = new Map(
      url.search
        .slice(1)
        .split('&')
        .map((part) => [part.split('=')[0], part]),
    )
    const signed = names.map((name) => raw.get(name)).join('&')
    const signature = url.searchParams.get('Signature') ?? ''
    const { publicKey } = new X509Certificate(requestCertificatePem)
    const isGood = createVerify('RSA-SHA256').update(signed).verify(publicKey, signature, 'base64')
    if (!isGood) throw new Error('The request is not signed by the key known.')
  }
  return {
    id: at(/\bID="([^"]*)"/),
    issuer: at(/Issuer[^>]*>([^<]*)</).replaceAll('&amp;', '&'),
    acsUrl: at(/AssertionConsumerServiceURL="([^"]*)"/).replaceAll('&amp;', '&'),
    isFresh: /ForceAuthn="true"/.test(xml),
    relayState: url.searchParams.get('RelayState') ?? '',
    isSigned,
    xml,
  }
}

/** `/sso` shows the login page; its form comes back to `/login`, which posts on to the asker. */
async function answerBrowser(
  idp: SamlIdp,
  options: SamlIdpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', idp.entryPoint)
  const page = (title: string, form: string): void => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    response.end(`<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${form}`)
  }
  if (url.pathname === '/metadata') {
    response.writeHead(200, { 'content-type': 'application/samlmetadata+xml' })
    response.end(idpMetadata(idp))
  } else if (url.pathname === '/sso' && request.method === 'GET') {
    readRequest(url, options)
    page(
      'Company sign-in',
      `<form method="post" action="/login${escape(url.search)}"><label>User <input name="user" autocomplete="off" autofocus></label> <button>Sign in</button></form>`,
    )
  } else if (url.pathname === '/login' && request.method === 'POST') {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const user = new URLSearchParams(Buffer.concat(parts).toString('utf8')).get('user') ?? ''
    const asked = readRequest(url, options)
    if (!idp.users.has(user)) return page('Company sign-in', '<p role="alert">Unknown user.</p>')
    const { SAMLResponse } = respond(idp, asked, user, (options.nowMs ?? Date.now)(), {})
    page(
      'Signed in',
      `<form method="post" action="${escape(asked.acsUrl)}"><input type="hidden" name="SAMLResponse" value="${SAMLResponse}"><input type="hidden" name="RelayState" value="${escape(asked.relayState)}"><button>Continue</button></form><script>document.forms[0].submit()</script>`,
    )
  } else {
    response.writeHead(404).end()
  }
}

/** The provider's own metadata. */
export function idpMetadata(
  idp: Pick<SamlIdp, 'entityId' | 'entryPoint' | 'certificatePem'>,
): string {
  const certificate = idp.certificatePem.replace(/-----[A-Z ]+-----|\s/g, '')
  return `<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${escape(idp.entityId)}"><md:IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="${protocolUri}"><md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${escape(idp.entryPoint)}"/></md:IDPSSODescriptor></md:EntityDescriptor>`
}
