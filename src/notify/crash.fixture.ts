/** Tells one event after the other and says so when it is durable, until it is killed. */
import { systemClock } from '../base/clock.ts'
import { createSecrets } from '../secrets/secrets.ts'
import { openNotices } from './notices.ts'
import { consoleUrl, hook, masker, ticketOf, webhookSecret } from './site.fixture.ts'

const [, , file = '', url = ''] = process.argv
const clock = systemClock()
const notices = openNotices({
  file,
  receivers: [hook(url)],
  consoleUrl,
  secrets: createSecrets({ env: { HOOK: webhookSecret }, clock }),
  masker,
  note: () => Promise.resolve(),
  clock,
  failed: () => undefined,
  restored: () => undefined,
  pace: { burst: 1_000_000 },
})
for (let i = 0; i < 1_000; i++) {
  await notices.tell({ kind: 'created', ticket: ticketOf({ id: `tk_${i}x` }) })
  // Written at once, by the call itself: a line stands only where it is through.
  process.stdout.write(`${i}\n`)
}
