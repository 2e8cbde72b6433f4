/** What this endpoint says of itself (RFC 7643 §5 to §8, RFC 7644 §4). */
import { coreGroup, coreUser, enterpriseUser } from './attributes.ts'
import { pageMax } from './list.ts'

interface Attribute {
  readonly name: string
  readonly type: 'string' | 'boolean' | 'complex' | 'reference'
  readonly multiValued: boolean
  readonly description: string
  readonly required: boolean
  readonly caseExact: boolean
  readonly mutability: 'readOnly' | 'readWrite'
  readonly returned: 'default'
  readonly uniqueness: 'none' | 'server'
  readonly subAttributes?: readonly Attribute[]
  readonly referenceTypes?: readonly string[]
}

type Differences = Partial<Omit<Attribute, 'name' | 'description'>>

function attribute(name: string, description: string, differences: Differences = {}): Attribute {
  return {
    name,
    type: 'string',
    multiValued: false,
    description,
    required: false,
    caseExact: false,
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...differences,
  }
}

const complex = (...subAttributes: Attribute[]): Differences => ({ type: 'complex', subAttributes })
const listOf = (...subAttributes: Attribute[]): Differences => ({
  ...complex(...subAttributes),
  multiValued: true,
})
const readOnly = { mutability: 'readOnly' } as const

const userAttributes = [
  attribute('userName', 'Name of the user in the directory, such as a principal name.', {
    required: true,
    uniqueness: 'server',
  }),
  attribute(
    'name',
    'The parts of the name.',
    complex(
      attribute('formatted', 'The whole name.'),
      attribute('familyName', 'Family name.'),
      attribute('givenName', 'Given name.'),
    ),
  ),
  attribute('displayName', 'The name by which the gateway shows the user.'),
  attribute('active', 'Where it is false, the user is stopped before the answer.', {
    type: 'boolean',
  }),
  attribute(
    'emails',
    'For people to find the user by; nothing is decided by them.',
    listOf(
      attribute('value', 'The address.'),
      attribute('type', 'Such as work.'),
      attribute('primary', 'The preferred one.', { type: 'boolean' }),
    ),
  ),
  attribute('groups', 'Groups the user is in.', {
    ...listOf(
      attribute('value', 'Id of the group.', { ...readOnly, caseExact: true }),
      attribute('display', 'Its name.', readOnly),
    ),
    ...readOnly,
  }),
]

const groupAttributes = [
  attribute('displayName', 'Name of the group.', { required: true }),
  attribute(
    'members',
    'Whoever is taken out loses the group before the answer.',
    listOf(attribute('value', 'Id of the user.', { caseExact: true })),
  ),
]

const enterpriseAttributes = [
  attribute('employeeNumber', 'Kept and given back.'),
  attribute('department', 'Kept and given back.'),
  attribute('manager', 'Kept and given back.', complex(attribute('value', 'Id of the manager.'))),
]

type Document = Readonly<Record<string, unknown>> & { readonly id: string }

/** @param base URL of the endpoint, without a slash at the end. */
export function schemaDocuments(base: string): Document[] {
  const schema = (id: string, name: string, attributes: readonly Attribute[]): Document => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
    id,
    name,
    description: name,
    attributes,
    meta: { resourceType: 'Schema', location: `${base}/Schemas/${id}` },
  })
  return [
    schema(coreUser, 'User', userAttributes),
    schema(coreGroup, 'Group', groupAttributes),
    schema(enterpriseUser, 'EnterpriseUser', enterpriseAttributes),
  ]
}

export function resourceTypes(base: string): Document[] {
  const type = (
    name: 'User' | 'Group',
    schema: string,
    extensions: readonly string[],
  ): Document => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
    id: name,
    name,
    endpoint: `/${name}s`,
    description: name,
    schema,
    schemaExtensions: extensions.map((extension) => ({ schema: extension, required: false })),
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${name}` },
  })
  return [type('User', coreUser, [enterpriseUser]), type('Group', coreGroup, [])]
}

export function providerConfig(base: string): Readonly<Record<string, unknown>> {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: pageMax },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: true },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'Bearer',
        description: 'A secret of the gateway’s configuration.',
        primary: true,
      },
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
  }
}
