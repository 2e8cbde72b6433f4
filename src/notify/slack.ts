/**
 * A message for a Slack incoming webhook: a line for notifications, and blocks. Words of others
 * stand as `plain_text`; `&`, `<` and `>` are escaped everywhere, so that nothing becomes a mention
 * (`<!channel>`) or a link. A link and no button: an answer would come back past the sign-in.
 */
import type { Message } from './message.ts'

/** Slack takes ten fields a section, of 2000 characters each; we have eight short ones. */
const fieldsMax = 10
/** An emergency calls; nothing else does. */
const urgent = ':rotating_light: '

export function slackBody({ ask, isUrgent, lines, link, title }: Message): string {
  const fields = lines.slice(0, fieldsMax).map(({ label, value }) => {
    return plain(`${label}: ${value}`)
  })
  const mark = isUrgent ? urgent : ''
  const blocks = [
    { type: 'header', text: { type: 'plain_text', text: escaped(title), emoji: false } },
    ...(fields.length > 0 ? [{ type: 'section', fields }] : []),
    { type: 'section', text: plain(ask) },
    { type: 'section', text: { type: 'mrkdwn', text: `<${escaped(link)}|Open in the console>` } },
  ]
  return JSON.stringify({ text: `${mark}${escaped(title)}`, blocks, unfurl_links: false })
}

function plain(text: string): { type: 'plain_text'; text: string; emoji: false } {
  return { type: 'plain_text', text: escaped(text), emoji: false }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
