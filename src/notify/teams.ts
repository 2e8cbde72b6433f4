/**
 * A message for a Teams workflow ("When a Teams webhook request is received"): an envelope with one
 * Adaptive Card 1.4. Words of others stand in `RichTextBlock`s, which know no Markdown, and nobody
 * is mentioned: a mention needs an entity of its own, and there is none.
 */
import type { Message } from './message.ts'

export function teamsBody({ ask, isUrgent, lines, link, title }: Message): string {
  const color = isUrgent ? { color: 'Attention' } : {}
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      { type: 'TextBlock', text: title, weight: 'Bolder', size: 'Medium', wrap: true, ...color },
      ...lines.map(({ label, value }) => ({
        type: 'RichTextBlock',
        spacing: 'Small',
        inlines: [
          { type: 'TextRun', text: `${label}: `, weight: 'Bolder' },
          { type: 'TextRun', text: value },
        ],
      })),
      { type: 'TextBlock', text: ask, wrap: true },
    ],
    actions: [{ type: 'Action.OpenUrl', title: 'Open in the console', url: link }],
  }
  const contentType = 'application/vnd.microsoft.card.adaptive'
  return JSON.stringify({ type: 'message', attachments: [{ contentType, content }] })
}
