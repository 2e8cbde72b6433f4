/** For `sallyport check`: whether reviewers can be told. */
import { Fault } from '../base/fault.ts'
import { testMessage } from './message.ts'
import { usualPace } from './notices.ts'
import { openReceiver } from './receiver.ts'
import type { NoticeConfig } from '../config/policy-types.ts'
import type { Receiver, ReceiverParts } from './receiver.ts'

/** What came of one receiver. */
export interface NoticeCheck {
  readonly receiver: string
  readonly isGood: boolean
  /** For people; no address stands in it. */
  readonly message: string
}

export type CheckParts = Omit<ReceiverParts, 'tryMs'> & {
  readonly consoleUrl: string
  /** Whether a message that says it is a test is sent; else it is connected and no more. */
  readonly sends: boolean
  readonly tryMs?: number
}

/** Tries each receiver, all at once; never throws. */
export function checkNotice(
  receivers: readonly NoticeConfig[],
  parts: CheckParts,
): Promise<readonly NoticeCheck[]> {
  return Promise.all(receivers.map((config, i) => checked(config, `notify[${i}]`, parts)))
}

async function checked(
  config: NoticeConfig,
  where: string,
  parts: CheckParts,
): Promise<NoticeCheck> {
  const { name } = config
  const bad = (message: string): NoticeCheck => ({ receiver: name, isGood: false, message })
  let receiver: Receiver
  try {
    receiver = openReceiver(config, where, { ...parts, tryMs: parts.tryMs ?? usualPace.tryMs })
  } catch (error) {
    return bad(error instanceof Fault ? error.message : 'failed (defect)')
  }
  const trouble = await (parts.sends ? sent(receiver, parts) : receiver.reach())
  if (trouble !== undefined) {
    return bad(`cannot be told (${trouble}): ${adviceFor(trouble)}`)
  }
  const message = parts.sends ? 'took a test message' : 'can be reached; nothing was sent'
  return { receiver: name, isGood: true, message }
}

async function sent(
  receiver: Receiver,
  { clock, consoleUrl }: CheckParts,
): Promise<string | undefined> {
  const message = testMessage(consoleUrl, Math.floor(clock.nowUs() / 1000))
  const outcome = await receiver.send(message, new AbortController().signal)
  return outcome.isSent ? undefined : outcome.reason
}

const advice: Readonly<Record<string, string>> = {
  timeout: 'it did not answer in time; look whether a firewall is between',
  refused: 'nothing listens there; look at host and port',
  dns: 'its host name does not resolve',
  tls: 'its certificate is not believed, or it speaks no TLS (STARTTLS) there',
  address: 'its host name leads to this machine, a link-local address or a metadata service',
  smtp_auth: 'the server does not take user name and password',
  redirect: 'it answers with a redirect, which is not followed; configure where it leads to',
  rate_limited: 'it wants to be asked less often; try again later',
  secret: 'its secret cannot be had',
}

function adviceFor(reason: string): string {
  if (/^status_40[134]$|^status_410$/.test(reason)) {
    return 'the address is not in force any more; make a new one and configure it'
  }
  return advice[reason] ?? 'look at the configuration and at the receiver'
}
