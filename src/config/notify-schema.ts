/** The shape of `notify`: how reviewers hear of held calls. */
import { z } from 'zod'
import type { Fields, Schema } from './fields.ts'
import type { NoticeConfig } from './policy-types.ts'

export function notices(f: Fields): Schema<readonly NoticeConfig[]> {
  const name = f.name.describe('Its name in the record.')
  const url = f.addressOrSecret.describe('An https address, or a reference where it is a secret.')
  return z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({
          name,
          type: z.literal('webhook'),
          url,
          secret: f.secret.describe('Reference to the key that signs what is sent.'),
        }),
        z.strictObject({ name, type: z.literal('teams'), url }),
        z.strictObject({ name, type: z.literal('slack'), url }),
        email(f, name),
      ]),
    )
    .max(16)
    .prefault([])
    .describe('How reviewers are told of held calls.')
}

function email(f: Fields, name: Schema<string>) {
  return z.strictObject({
    name,
    type: z.literal('email'),
    host: f.host.describe('The SMTP server.'),
    port: z.int().min(1).max(65_535).prefault(587),
    security: z
      .enum(['tls', 'starttls', 'none'])
      .prefault('starttls')
      .describe('`none` only for a server on this machine.'),
    username: f.text.exactOptional(),
    password: f.secret.exactOptional(),
    from: f.email,
    to: z.array(f.email).min(1).max(50),
  })
}
