/**
 * A notice as an e-mail by SMTP: plain text and a simple page of it. All mails of a ticket belong to
 * one thread: the first has the ticket's own Message-ID, the others refer to it (RFC 5322 §3.6.4).
 */
import { createTransport } from 'nodemailer'
import type { Mail, SMTPSentMessageInfo, SMTPTransportOptions } from 'nodemailer'
import { Fault } from '../base/fault.ts'
import { isLoopbackHost } from '../config/units.ts'
import { failed, reasonOf } from './outcome.ts'
import type { NoticeConfig } from '../config/policy-types.ts'
import type { Message } from './message.ts'
import type { Outcome } from './outcome.ts'
import type { PostParts } from './post.ts'

export type EmailConfig = Extract<NoticeConfig, { type: 'email' }>

/** @throws {Fault} `config_bad` where it would be sent in clear beyond this machine. */
export function checkEmail({ host, security }: EmailConfig, where: string): void {
  if (security !== 'none' || isLoopbackHost(host)) return
  const what = `${where}.security is none, which is taken only for a server on this machine. Use starttls or tls; nothing is sent in clear.`
  throw new Fault('config_bad', what)
}

/** @param password read anew for each try, since it may be rotated. */
export async function sendEmail(
  config: EmailConfig,
  message: Message,
  password: string | undefined,
  { signal, ...parts }: PostParts & { readonly signal: AbortSignal },
): Promise<Outcome> {
  const transport = transportOf(config, password, parts)
  const inTime = AbortSignal.timeout(parts.tryMs)
  try {
    const { from, to } = config
    const ends = AbortSignal.any([inTime, signal])
    const info = await transport.sendMail({
      ...mailOf(message, config),
      from,
      to: [...to],
      signal: ends,
    })
    const rejected = info.rejected.length
    return rejected > 0 ? { isSent: true, rejected } : { isSent: true }
  } catch (error) {
    return failed(inTime.aborted ? 'timeout' : smtpReason(error), { isRefused: isRefusal(error) })
  } finally {
    transport.close()
  }
}

/** Signs in and sends nothing. @returns undefined where that works, or why not. */
export async function reachesServer(
  config: EmailConfig,
  password: string | undefined,
  parts: PostParts,
): Promise<string | undefined> {
  const transport = transportOf(config, password, parts)
  try {
    await transport.verify()
    return undefined
  } catch (error) {
    return smtpReason(error)
  } finally {
    transport.close()
  }
}

type Transport = Mail<SMTPSentMessageInfo, SMTPTransportOptions>

function transportOf(
  { host, port, security, username }: EmailConfig,
  password: string | undefined,
  { ca, tryMs }: PostParts,
): Transport {
  const auth = username === undefined ? {} : { auth: { user: username, pass: password ?? '' } }
  return createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls', // A server without it is sent nothing (RFC 3207 §6).
    ignoreTLS: security === 'none',
    tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
    ...auth,
    forceAuth: username !== undefined,
    name: 'sallyport.local', // Not the machine's name, which concerns nobody.
    connectionTimeout: tryMs,
    greetingTimeout: tryMs,
    socketTimeout: tryMs,
    dnsTimeout: tryMs,
    socketCloseTimeout: 0,
    maxResponseSize: 16_384,
    logger: false,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}

interface Written {
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly messageId: string
  readonly references?: string
  readonly inReplyTo?: string
  readonly headers: Readonly<Record<string, string>>
}

function mailOf(message: Message, { from }: EmailConfig): Written {
  const { isUrgent, ticket, title, type } = message
  const domain = /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? 'sallyport.invalid'
  const first = `<${ticket}@${domain}>`
  const isFirst = type === 'ticket.created'
  const own = ticket === '' ? message.id : `${ticket}.${type}`
  const thread = ticket === '' || isFirst ? {} : { references: first, inReplyTo: first }
  return {
    subject: ticket === '' ? `[Sallyport] ${title}` : `[Sallyport] ${title} (${ticket})`,
    text: textOf(message),
    html: pageOf(message),
    messageId: isFirst ? first : `<${own}@${domain}>`,
    ...thread,
    headers: {
      'Auto-Submitted': 'auto-generated', // RFC 3834 §5: nobody's absence answers it.
      'X-Auto-Response-Suppress': 'All',
      ...(isUrgent ? { Importance: 'high' } : {}),
    },
  }
}

function textOf({ ask, lines, link, title }: Message): string {
  const told = lines.map(({ label, value }) => `${label}: ${value}`)
  return [title, '', ...told, '', ask, '', link, ''].join('\n')
}

function pageOf({ ask, lines, link, title }: Message): string {
  const rows = lines.map(({ label, value }) => {
    return `<tr><th align="left">${escaped(label)}</th><td>${escaped(value)}</td></tr>`
  })
  return [
    '<!DOCTYPE html><html lang="en"><body>',
    `<p><strong>${escaped(title)}</strong></p>`,
    rows.length > 0 ? `<table cellpadding="4">${rows.join('')}</table>` : '',
    `<p>${escaped(ask)}</p>`,
    `<p><a href="${escaped(link)}">Open in the console</a></p>`,
    '</body></html>',
  ].join('\n')
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

function responseCodeOf(error: unknown): number {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'responseCode') : undefined
  return typeof code === 'number' ? code : 0
}

/** A code of the server says more than where in the exchange it came. */
function smtpReason(error: unknown): string {
  const reason = reasonOf(error)
  const code = responseCodeOf(error)
  return reason === 'unreachable' && code >= 400 ? `smtp_${code}` : reason
}

/** RFC 5321 §4.2.1: 5yz is final. A sign-in that fails is the receiver's trouble, not the mail's. */
function isRefusal(error: unknown): boolean {
  return responseCodeOf(error) >= 500 && reasonOf(error) !== 'smtp_auth'
}
