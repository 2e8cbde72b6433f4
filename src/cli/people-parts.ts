/** What commands about people need of the configuration, whether a gateway runs or not. */
import type { Config } from '../config/config.ts'
import type { AccessDesk } from './access-desk.ts'
import type { LocalAccountDesk } from './local-account.ts'
import { namedIssuers } from './people-desk.ts'

type Named = Pick<
  AccessDesk & LocalAccountDesk,
  'issuers' | 'connections' | 'serviceKeyMs' | 'access' | 'inviteUrl'
>

/** @param config missing where there is none to be read. */
export function namedIn(config: Config | undefined): Named {
  if (config === undefined) {
    const none = { issuers: [], connections: undefined, access: undefined, inviteUrl: '' }
    return { ...none, serviceKeyMs: 90 * 86_400_000 }
  }
  const { connections, console, identity } = config
  return {
    issuers: namedIssuers(identity),
    connections: connections.map(({ name }) => name),
    serviceKeyMs: identity.serviceKeyMs,
    access: accessIn(config),
    inviteUrl: `${console.publicUrl}/login/invite`,
  }
}

export function accessIn({ access, console }: Config): AccessDesk['access'] {
  return { grants: access, roles: console.roles }
}
