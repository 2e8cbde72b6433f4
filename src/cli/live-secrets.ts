/** Secrets that services keep, and those that nobody else of the looks needs. */
import type { Path } from '../config/config.ts'
import type { SecretRef } from '../config/types.ts'
import { secretRefsIn } from '../secrets/references.ts'
import type { NamedRef } from '../secrets/references.ts'
import { wrong } from './live-look.ts'
import type { Look, LookParts, Seen } from './live-look.ts'

const services = { keyvault: 'Azure Key Vault', vault: 'Vault' } as const

export function secretLooks(parts: LookParts): Look[] {
  return [...fetchedLooks(parts), ...clientLooks(parts), ...scimLooks(parts)]
}

/** Each that a service keeps, by itself: one that is missing must not hide another. */
function fetchedLooks({ config, secrets }: LookParts): Look[] {
  return secretRefsIn(config).flatMap((named): Look[] => {
    const { ref, where } = named
    if (ref.from === 'env' || ref.from === 'file') return []
    const service = services[ref.from]
    const look = async (): Promise<string> => {
      await secrets.ready([named])
      return `was fetched from ${service}`
    }
    return [{ what: `secret ${where}`, path: pathOf(where), look }]
  })
}

/** `connections[0].credential.value` as a path. */
function pathOf(where: string): Path {
  return where
    .split(/[.[\]]+/)
    .filter((part) => part !== '')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part))
}

/** Clients of the authorization server that have a secret. */
function clientLooks({ config, secrets }: LookParts): Look[] {
  const { clients = [] } = config.identity.authorizationServer ?? {}
  return clients.flatMap(({ clientSecret }, index): Look[] => {
    if (clientSecret === undefined) return []
    const where = `identity.authorization_server.clients[${index}].client_secret`
    const look = async (): Promise<string> => {
      await read({ ref: clientSecret, where }, secrets)
      return 'is there'
    }
    return [{ what: `secret ${where}`, path: pathOf(where), look }]
  })
}

/** As many as 24 random bytes have in Base64: what `/scim/v2` asks for. */
const scimCharactersMin = 32

function scimLooks({ config, secrets }: LookParts): Look[] {
  const { tokens = [] } = config.identity.scim ?? {}
  return tokens.map((ref: SecretRef, index): Look => {
    const where = `identity.scim.tokens[${index}]`
    const look = async (): Promise<Seen> => {
      const value = await read({ ref, where }, secrets)
      if (value.length < scimCharactersMin) {
        throw wrong(
          `is shorter than ${scimCharactersMin} characters, and serve does not start with it; make one by openssl rand -base64 32`,
        )
      }
      return `is long enough; the directory calls ${config.console.publicUrl}/scim/v2`
    }
    return { what: `SCIM token ${index + 1}`, path: ['identity', 'scim', 'tokens', index], look }
  })
}

async function read({ ref, where }: NamedRef, secrets: LookParts['secrets']): Promise<string> {
  await secrets.ready([{ ref, where }])
  return secrets.open(ref, 'header', where).read().reveal()
}
