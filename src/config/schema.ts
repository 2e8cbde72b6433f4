/**
 * The shape of `sallyport.yaml`. Every key that stands here is used; a key which is not here is a
 * mistake. What needs two places of the file at once is checked in `cross.ts`.
 */
import { z } from 'zod'
import { checkNames } from '../cards/also/checks.ts'
import { alsoKinds, thresholds } from '../cards/also/kinds.ts'
import { patternsMax } from '../cards/also/pattern.ts'
import type { Pattern } from '../cards/also/pattern.ts'
import { grant, roles } from './access-schema.ts'
import { credential } from './credential-schema.ts'
import type { Draft, DraftConnection, DraftMasking } from './draft.ts'
import { field } from './fields.ts'
import type { Fields, Schema } from './fields.ts'
import { identity } from './identity-schema.ts'
import { notices } from './notify-schema.ts'
import { decisionPoint, holds, rules, sql } from './rule-schema.ts'
import type { ConnectionConfig, KeyEncryptionKey } from './types.ts'

/**
 * The schema of the whole file.
 * @param absolute makes a path of the file absolute (relative ones start at the file's folder).
 * @returns a schema whose output is in our names and units; defaults that depend on another key are
 *   still missing.
 */
export function fileSchema(absolute: (path: string) => string): Schema<Draft> {
  const f = field(absolute)
  return z
    .strictObject({
      listen: listen(f).prefault({}).describe('Where the two listeners stand.'),
      public_url: f.publicUrl.exactOptional().describe('Origin of the gateway as clients see it.'),
      console: console(f).prefault({}).describe('The pages for people.'),
      data_dir: f.path.prefault('.sallyport').describe('Folder of the record, keys and state.'),
      identity: identity(f).describe('Who is believed, and how people sign in.'),
      masking: masking(f)
        .prefault({})
        .describe('What is looked for besides card data, on all connections.'),
      connections: z.array(connection(f)).min(1).describe('The MCP servers behind the gateway.'),
      access: z
        .array(grant(f))
        .prefault([])
        .describe('Who may use what. What no line allows is refused.'),
      rules: rules(f),
      decision_point: decisionPoint(f)
        .exactOptional()
        .describe('Another decision maker (Open Policy Agent); the stricter of both holds.'),
      holds: holds(f).prefault({}).describe('How held calls wait, and who decides.'),
      notify: notices(f),
      limits: limits(f).prefault({}),
      record: record(f).prefault({}),
      log: z
        .strictObject({
          level: z.enum(['fatal', 'error', 'warn', 'info', 'debug']).prefault('info'),
        })
        .prefault({}),
    })
    .transform(({ public_url: publicUrl, data_dir: dataDir, decision_point: point, ...rest }) => ({
      ...rest,
      dataDir,
      ...(publicUrl === undefined ? {} : { publicUrl }),
      ...(point === undefined ? {} : { decisionPoint: point }),
    }))
}

function console(f: Fields): Schema<Draft['console']> {
  return z
    .strictObject({
      public_url: f.publicUrl.exactOptional().describe('Origin of the console as people see it.'),
      roles: roles(f),
      session_idle: f
        .duration('15m', '1m', '15m')
        .describe('A page nobody uses signs out (PCI DSS v4.0.1 req. 8.2.8).'),
      session_max: f.duration('8h', '5m', '24h').describe('After this everybody signs in anew.'),
    })
    .transform((raw) => ({
      roles: raw.roles,
      sessionIdleMs: raw.session_idle,
      sessionMaxMs: raw.session_max,
      ...(raw.public_url === undefined ? {} : { publicUrl: raw.public_url }),
    }))
}

function listen(f: Fields): Schema<Draft['listen']> {
  const tls = z.strictObject({
    cert: f.path.describe('PEM file with the certificate and its chain.'),
    key: f.secret.describe('Reference to the PEM private key.'),
  })
  return z
    .strictObject({
      gateway: f.hostPort('127.0.0.1:4100'),
      console: f.hostPort('127.0.0.1:4101'),
      trusted_proxies: z
        .array(f.addressRange)
        .prefault([])
        .describe('Proxies whose X-Forwarded-For is believed: addresses or CIDR ranges.'),
      hosts: z.array(f.hostHeader).prefault([]).describe('More Host values to let in.'),
      origins: z.array(f.origin).prefault([]).describe('More Origin values to let in.'),
      tls: tls.exactOptional(),
    })
    .transform(({ trusted_proxies: trustedProxies, tls: files, ...rest }) => ({
      ...rest,
      trustedProxies,
      ...(files === undefined ? {} : { tls: { certFile: files.cert, key: files.key } }),
    }))
}

function limits(f: Fields): Schema<Draft['limits']> {
  return z
    .strictObject({
      request_bytes_max: f.size('4MiB', '1KiB', '1GiB'),
      answer_bytes_max: f.size('16MiB', '1KiB', '1GiB'),
      json_depth_max: f.count(64, 8, 512),
      header_bytes_max: f.size('16KiB', '2KiB', '1MiB'),
      in_flight_bytes_max: f.size('512MiB', '1MiB', '1024GiB'),
      streams_per_principal_max: f.count(256, 1, 100_000),
      refusals_per_minute_max: f.count(60, 1, 100_000),
      request_timeout: f.duration('60s', '1s', '1h'),
      stop_grace: f.duration('20s', '0s', '1h'),
    })
    .transform((raw) => ({
      requestBytesMax: raw.request_bytes_max,
      answerBytesMax: raw.answer_bytes_max,
      jsonDepthMax: raw.json_depth_max,
      headerBytesMax: raw.header_bytes_max,
      inFlightBytesMax: raw.in_flight_bytes_max,
      streamsPerPrincipalMax: raw.streams_per_principal_max,
      refusalsPerMinuteMax: raw.refusals_per_minute_max,
      requestMs: raw.request_timeout,
      stopGraceMs: raw.stop_grace,
    }))
}

function record(f: Fields): Schema<Draft['record']> {
  return z
    .strictObject({
      free_bytes_min: f.size('512MiB', '1MiB', '4096GiB'),
      segment_bytes_max: f.size('64MiB', '1MiB', '1GiB'),
      session_idle: f.duration('30m', '10s', '7d'),
      compress_from: f
        .size('16KiB', '1KiB', '1GiB')
        .describe('Bodies from this size on are compressed before they are encrypted.'),
      origin: z
        .string()
        .regex(logName, 'must be a name such as audit.example.com/sallyport, without a scheme')
        .exactOptional()
        .describe('The log’s name for the world. It cannot be changed once the log has begun.'),
      key_encryption_key: z
        .string()
        .regex(keyForm, 'must be file, keyvault:VAULT/NAME or vault:MOUNT/NAME')
        .prefault('file')
        .describe(
          'What wraps the keys of bodies: keys/months.kek, Azure Key Vault, Vault transit.',
        ),
      witnesses: z
        .array(
          z.strictObject({
            url: f.issuerUrl.describe('Where it takes checkpoints; https, or http on loopback.'),
            vkey: z
              .string()
              .regex(vkeyForm, 'must be a public key as the witness prints it: name+id+base64')
              .describe('Its public key.'),
          }),
        )
        .max(16)
        .prefault([])
        .describe('Witnesses (C2SP tlog-witness), which sign what they have seen of the log.'),
      retention: f
        .duration('400d', '1d', '36500d')
        .describe('A month is removed when this much time has passed since its end.'),
      content_retention: f
        .durationOf('1d', '36500d')
        .exactOptional()
        .describe('The same for the content of calls alone; `retention` unless given.'),
      allow_short_retention: z
        .boolean()
        .prefault(false)
        .describe('Permits less than 365 days, which PCI DSS 10.5.1 does not.'),
      index_outputs: z
        .boolean()
        .prefault(false)
        .describe('Outputs are searched too; their masked text then stands in the index.'),
      card_search: z
        .boolean()
        .prefault(false)
        .describe('Calls are found by a full card number; keyed tokens of numbers are then kept.'),
    })
    .transform((raw) => ({
      freeBytesMin: raw.free_bytes_min,
      segmentBytesMax: raw.segment_bytes_max,
      sessionIdleMs: raw.session_idle,
      compressFromBytes: raw.compress_from,
      ...(raw.origin === undefined ? {} : { origin: raw.origin }),
      keyEncryptionKey: keyOf(raw.key_encryption_key),
      witnesses: raw.witnesses,
      retentionMs: raw.retention,
      contentRetentionMs: raw.content_retention ?? raw.retention,
      indexOutputs: raw.index_outputs,
      cardSearch: raw.card_search,
    }))
}

/** As in C2SP tlog-checkpoint: a URL without scheme and slash at its end; no space, no plus. */
const logName = /^[a-z0-9][a-z0-9.-]*(:\d+)?(\/[A-Za-z0-9._~-]+){0,8}$/
const vkeyForm = /^[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}$/
const keyForm = /^(file|(keyvault|vault):[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9._-]+){1,3})$/

function keyOf(text: string): KeyEncryptionKey {
  const [kind = '', key = ''] = text.split(/:(.*)/s)
  return kind === 'keyvault' || kind === 'vault' ? { kind, key } : { kind: 'file' }
}

function connectionTls(f: Fields): Schema<ConnectionConfig['tls']> {
  return z
    .strictObject({
      ca: f.path.exactOptional().describe('PEM file: the only authorities believed.'),
      cert: f.path.exactOptional().describe('PEM file: client certificate.'),
      key: f.secret.exactOptional().describe('Reference to its PEM private key.'),
      server_name: f.text.exactOptional().describe('Name to ask for and to check.'),
    })
    .prefault({})
    .transform((raw) => ({
      ...(raw.ca === undefined ? {} : { caFile: raw.ca }),
      ...(raw.cert === undefined ? {} : { certFile: raw.cert }),
      ...(raw.key === undefined ? {} : { key: raw.key }),
      ...(raw.server_name === undefined ? {} : { serverName: raw.server_name }),
    }))
}

function timeouts(f: Fields): Schema<ConnectionConfig['timeouts']> {
  return z
    .strictObject({
      connect: f.duration('5s', '10ms', '10m'),
      headers: f.duration('60s', '10ms', '1d'),
      idle: f.duration('5m', '10ms', '1d'),
    })
    .transform((raw) => ({ connectMs: raw.connect, headersMs: raw.headers, idleMs: raw.idle }))
}

/** What `masking` and a connection's `mask` share. */
function looked(f: Fields): {
  readonly threshold: z.ZodExactOptional<Schema<NonNullable<DraftMasking['threshold']>>>
  readonly also: Schema<DraftMasking['also']>
  readonly patterns: Schema<DraftMasking['patterns']>
} {
  const threshold: Schema<NonNullable<DraftMasking['threshold']>> = z
    .enum(thresholds)
    .describe('What is less sure is masked in the record and left on delivery.')
  return {
    threshold: z.exactOptional(threshold),
    also: z.array(z.enum(alsoKinds)).prefault([]).describe('Detectors beyond card data.'),
    patterns: z
      .array(pattern(f))
      .max(patternsMax)
      .prefault([])
      .describe('Patterns of your own, in RE2 syntax.'),
  }
}

function masking(f: Fields): Schema<DraftMasking> {
  return z.strictObject(looked(f))
}

function pattern(f: Fields): Schema<Pattern> {
  return z.strictObject({
    name: f.name,
    pattern: f.re2.describe('RE2 syntax; in single quotes YAML leaves it as it is.'),
    check: z.enum(checkNames).prefault('none').describe('A check digit that must fit.'),
    replace: z
      .enum(['stars', 'remove'])
      .prefault('stars')
      .describe('Stars of the same shape, or `[NAME removed]`.'),
    context: z
      .array(f.contextWord)
      .max(32)
      .prefault([])
      .describe('Words of which one must stand near; without, a match is of low confidence.'),
  })
}

function mask(f: Fields): Schema<DraftConnection['mask']> {
  return z
    .strictObject({
      ...looked(f),
      test_numbers: z
        .enum(['mask', 'pass'])
        .prefault('mask')
        .describe('Whether published test numbers of cards are delivered.'),
      base64: z
        .enum(['text', 'all'])
        .prefault('all')
        .describe('Whether base64 that no MIME type names as text is looked into.'),
    })
    .transform(({ test_numbers: testNumbers, ...rest }) => ({ ...rest, testNumbers }))
}

function connection(f: Fields): Schema<DraftConnection> {
  const headers = z.strictObject({
    request: z.array(f.allowedHeader).prefault([]),
    response: z.array(f.allowedHeader).prefault([]),
  })
  return z
    .strictObject({
      name: f.name,
      url: f.upstreamUrl,
      credential: credential(f).prefault({ type: 'none' }),
      tls: connectionTls(f),
      timeouts: timeouts(f).prefault({}),
      headers: headers.prefault({}).describe('Header names let through besides those of MCP.'),
      cardholder_data: z
        .strictObject({
          columns: z.array(f.text).prefault([]),
          tables: z.array(f.text).prefault([]).describe('Tables that hold card numbers.'),
        })
        .prefault({})
        .describe('More names of columns and keys that hold card numbers; `*` stands for any run.'),
      sql: sql(f).prefault({}).describe('Which argument of which tool is SQL.'),
      mask: mask(f).prefault({}).describe('More than `masking` says, for this server.'),
      profile: f.profile
        .prefault('pci')
        .describe('Rules of this connection: pci, none, or the path of a file of your own.'),
      answer_bytes_max: f.sizeOf('1KiB', '1GiB').exactOptional(),
    })
    .transform(({ cardholder_data, answer_bytes_max: answerBytesMax, ...rest }) => ({
      ...rest,
      cardholderData: cardholder_data,
      ...(answerBytesMax === undefined ? {} : { answerBytesMax }),
    }))
}
