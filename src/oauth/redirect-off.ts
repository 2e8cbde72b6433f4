/**
 * An answer that would lead a browser off this gateway before its person pressed anything.
 *
 * Anybody can register a client, and one whose requests fail at once (`prompt=none`, a parameter left
 * out) makes of our address one that leads to theirs: such an answer is a page that says where it
 * would lead (RFC 9700 §4.11.2). Clients of the configuration were looked at by somebody and are
 * answered as the standard says (RFC 6749 §4.1.2.1).
 */
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { offPage, pageHeaders } from './pages.ts'

interface Failed {
  readonly code: string
  readonly status: number
}

/** @param isChecked whether somebody who runs this gateway set the client up. */
export function keepHere(provider: Provider, isChecked: (clientId: string) => boolean): void {
  const failed = new WeakMap<object, Failed>()
  provider.on('authorization.error', (ctx, { error, statusCode }) => {
    failed.set(ctx, { code: error, status: statusCode >= 400 ? statusCode : 400 })
  })
  provider.use(async (ctx, next) => {
    await next()
    const { oidc }: Partial<KoaContextWithOIDC> = ctx
    if (oidc?.route !== 'authorization' && oidc?.route !== 'resume') return
    const to = URL.parse(ctx.response.get('location'), oidc.issuer)
    if (to === null || to.origin === new URL(oidc.issuer).origin || hasPressed(oidc.entities))
      return
    const { client } = oidc
    if (client !== undefined && isChecked(client.clientId)) return
    const { code, status } = failed.get(ctx) ?? { code: 'server_error', status: 500 }
    ctx.remove('location')
    ctx.status = status
    ctx.set({ ...pageHeaders })
    ctx.body = offPage(client?.clientName, to, code)
  })
}

/** The question is the one page with a button, and its answer is in what is resumed. */
function hasPressed({ Interaction }: KoaContextWithOIDC['oidc']['entities']): boolean {
  return Interaction?.prompt.name === 'consent' && Interaction.result !== undefined
}
