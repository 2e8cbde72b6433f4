/** Somebody who is told: a webhook, a Teams workflow, a Slack channel, or mail addresses. */
import { Fault } from '../base/fault.ts'
import type { Clock } from '../base/clock.ts'
import type { NoticeConfig } from '../config/policy-types.ts'
import type { SecretRef } from '../config/types.ts'
import type { LiveSecret, Secrets } from '../secrets/secrets.ts'
import { checkEmail, reachesServer, sendEmail } from './email.ts'
import { failed } from './outcome.ts'
import { connects, noticeUrl, post } from './post.ts'
import { slackBody } from './slack.ts'
import { teamsBody } from './teams.ts'
import { webhookBody, webhookHeaders, webhookKey } from './webhook.ts'
import type { Message } from './message.ts'
import type { Outcome } from './outcome.ts'
import type { PostParts } from './post.ts'

export interface Receiver {
  readonly name: string
  readonly type: NoticeConfig['type']
  /** One try; never throws. @param signal breaks it off. */
  send(message: Message, signal: AbortSignal): Promise<Outcome>
  /** Connects and signs in, and sends nothing. @returns undefined, or the machine's word for why not. */
  reach(): Promise<string | undefined>
}

export interface ReceiverParts extends PostParts {
  readonly secrets: Pick<Secrets, 'open' | 'hide'>
  readonly clock: Pick<Clock, 'nowUs'>
}

/**
 * @param where its key of the configuration, `notify[0]`.
 * @throws {Fault} `config_bad` for an address or secret that cannot be used, `secret_missing` for one
 *   that is not there. Addresses are secrets: no message has one.
 */
export function openReceiver(config: NoticeConfig, where: string, parts: ReceiverParts): Receiver {
  return config.type === 'email'
    ? emailReceiver(config, where, parts)
    : postReceiver(config, where, parts)
}

type PostConfig = Exclude<NoticeConfig, { type: 'email' }>

function postReceiver(config: PostConfig, where: string, parts: ReceiverParts): Receiver {
  const { name, type } = config
  const address = addressOf(config.url, `${where}.url`, parts)
  const sign = config.type === 'webhook' ? signer(config.secret, `${where}.secret`, parts) : noSign
  const bodyOf = { webhook: webhookBody, teams: teamsBody, slack: slackBody }[type]
  return {
    name,
    type,
    send: (message, signal) =>
      tried(() => {
        const body = bodyOf(message)
        return post(address(), body, sign(message.id, body), { ...parts, signal })
      }),
    reach: () => reached(() => connects(address(), parts)),
  }
}

function emailReceiver(
  config: Extract<NoticeConfig, { type: 'email' }>,
  where: string,
  parts: ReceiverParts,
): Receiver {
  checkEmail(config, where)
  const { name, type } = config
  const { password: ref } = config
  const secret = ref && parts.secrets.open(ref, 'header', `${where}.password`)
  const password = (): string | undefined => secret?.read().reveal()
  return {
    name,
    type,
    send: (message, signal) =>
      tried(() => sendEmail(config, message, password(), { ...parts, signal })),
    reach: () => reached(() => reachesServer(config, password(), parts)),
  }
}

/** Reads and checks the address for each try: it may be rotated. */
function addressOf(of: SecretRef | string, where: string, { secrets }: ReceiverParts): () => URL {
  if (typeof of === 'string') {
    const url = noticeUrl(of, where)
    // Whoever knows it may write to the channel: it is kept out of logs as if it were a reference.
    secrets.hide(of)
    return () => url
  }
  return readChecked(secrets.open(of, 'header', where), (text) => noticeUrl(text, where))
}

type Sign = (id: string, body: string) => Record<string, string>

function signer(ref: SecretRef, where: string, { clock, secrets }: ReceiverParts): Sign {
  const key = readChecked(secrets.open(ref, 'header', where), (text) => webhookKey(text, where))
  return (id, body) => webhookHeaders(id, body, key(), clock.nowUs() / 1000)
}

function noSign(): Record<string, string> {
  return {}
}

/** @throws {Fault} at once where the value cannot be used; later it is thrown by each reading. */
function readChecked<T>(secret: LiveSecret, check: (text: string) => T): () => T {
  const read = (): T => check(secret.read().reveal())
  read()
  return read
}

async function tried(work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work()
  } catch (error) {
    // Going on is safe: nothing was sent, and it is tried again.
    return failed(wordOf(error))
  }
}

async function reached(work: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await work()
  } catch (error) {
    return wordOf(error)
  }
}

function wordOf(error: unknown): string {
  if (!(error instanceof Fault)) return 'defect'
  return error.code === 'secret_missing' ? 'secret' : 'configuration'
}
