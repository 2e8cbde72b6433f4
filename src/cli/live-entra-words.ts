/** What is known of Microsoft Entra ID beforehand: hosts, ids of Microsoft's own, codes of refusals. */

/** Where personal accounts live. */
export const consumerTenant = '9188040d-6c67-4c5b-b112-36a304b66dad'

/** Sign-in hosts of Entra in all clouds: those of today, and those that stand in v1 issuers. */
const entraHosts: readonly string[] = [
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'login.chinacloudapi.cn',
  'login.windows.net',
  'sts.windows.net',
  'sts.chinacloudapi.cn',
]

export function isEntraHost(host: string): boolean {
  return entraHosts.includes(host)
}

export const knownGraphHosts: readonly string[] = [
  'graph.microsoft.com',
  'graph.microsoft.us',
  'dod-graph.microsoft.us',
  'microsoftgraph.chinacloudapi.cn',
]

/** Audiences of Microsoft's own APIs, by id and by address. */
export function isMicrosoftGraph(audience: string): boolean {
  const address = URL.parse(audience)
  return (
    audience === '00000003-0000-0000-c000-000000000000' ||
    (address !== null && knownGraphHosts.includes(address.host))
  )
}

/** Codes of Entra's token endpoint (`error_codes`), with what to do. Source: "Microsoft Entra
 *  authentication and authorization error codes". */
const codes: ReadonlyMap<number, string> = new Map([
  [7000215, 'the client secret is wrong: take the column "Value", not "Secret ID"'],
  [7000222, 'the client secret has expired: make a new one under Certificates & secrets'],
  [7000216, 'the application wants a secret or a certificate, and none was sent'],
  [700016, 'the tenant knows no application of this client_id: is it that of another tenant?'],
  [700027, 'the certificate of the application is unknown or has expired'],
  [7000112, 'the application is disabled'],
  [90002, 'there is no such tenant'],
  [53003, 'a Conditional Access policy blocks it'],
  [50194, 'the application is for one tenant, and this address is for many'],
])

/** What Entra's codes mean. @param body of its answer. @returns undefined where none is known. */
export function meaningOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const listed: unknown = Reflect.get(body, 'error_codes')
  const all: readonly unknown[] = Array.isArray(listed) ? listed : []
  for (const code of all) {
    const meaning = typeof code === 'number' ? codes.get(code) : undefined
    if (meaning !== undefined) return `${meaning} (AADSTS${String(code)})`
  }
  return undefined
}
