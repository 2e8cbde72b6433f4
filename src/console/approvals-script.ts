/**
 * The script of the pages of held calls, behind `/console.js`, whose `call` it uses. It signs what is
 * decided, says in the one `role=status` what became of a call, and counts down.
 *
 *     <form data-decide="URL" data-method="passkey"> <textarea name="justification"> <p data-error>
 *     <… data-ticket="ID" data-state="pending"> <span data-until="TIME">
 */
import { stateNames, stateWords } from './ticket-words.ts'

export const approvalsScriptText: string = `'use strict'
const names = ${JSON.stringify(stateNames)}
const sentences = ${JSON.stringify(stateWords)}
const status = document.querySelector('[data-status]')
const one = document.querySelector('.banner[data-ticket]')

function show(form, field, message) {
  const place = form.querySelector('[data-error]')
  place.textContent = message
  for (const each of form.elements) each.removeAttribute?.('aria-invalid')
  if (message === '' || !field) return
  field.setAttribute('aria-invalid', 'true')
  field.focus()
}

/** The first field that is empty, with a word of what is missing said beside it. */
function isFilled(form) {
  for (const field of form.elements) {
    if (!field.required || field.value.trim() !== '') continue
    const label = form.querySelector('label[for="' + field.id + '"]').textContent
    show(form, field, 'Fill in “' + label.trim() + '”. Nothing was done.')
    return false
  }
  show(form, undefined, '')
  return true
}

function meaning(error) {
  if (error.name === 'NotAllowedError' || error.name === 'AbortError') {
    return 'The passkey was not used, so nothing was done. Try again when you are ready.'
  }
  if (error.name === 'SecurityError') return 'Passkeys do not work at this address. Nothing was done.'
  return error.message || 'That did not work. Nothing was done.'
}

// What comes while something is being done here is told after it: mostly it is that very thing.
let missed

async function working(form, field, work) {
  if (!isFilled(form)) return
  missed = []
  const buttons = form.querySelectorAll('button')
  for (const button of buttons) button.disabled = true
  status.textContent = 'One moment.'
  try {
    await work()
    location.hash = 'state'
    location.reload()
  } catch (error) {
    status.textContent = ''
    for (const button of buttons) button.disabled = false
    show(form, field, meaning(error))
    const late = missed
    missed = undefined
    for (const event of late) changed(event)
  }
}

for (const form of document.querySelectorAll('form[data-decide]')) {
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const { decide, method } = form.dataset
    const { justification, onBehalfOf } = form.elements
    void working(form, justification, async () => {
      const asked = { method, justification: justification.value }
      if (decide.endsWith('/decisions')) asked.decision = event.submitter.value
      if (onBehalfOf?.value) asked.onBehalfOf = onBehalfOf.value
      const begun = await call('POST', decide + '/begin', asked)
      const signed = { method: begun.method, challenge: begun.challenge }
      if (begun.method === 'passkey') {
        status.textContent = 'Use your passkey to sign.'
        const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(begun.options)
        signed.response = (await navigator.credentials.get({ publicKey })).toJSON()
      }
      await call('POST', decide, signed)
    })
  })
}

for (const form of document.querySelectorAll('form[data-review]')) {
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const field = form.elements.justification
    void working(form, field, () => call('POST', form.dataset.review, { words: field.value }))
  })
}

for (const form of document.querySelectorAll('form[data-accept]')) {
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const address = '/api/tools/changes/' + encodeURIComponent(form.dataset.accept) + '/accept'
    const body = { reason: form.elements.reason.value, taking: event.submitter.value }
    void working(form, form.elements.reason, () => call('POST', address, body))
  })
}

const delegate = document.querySelector('form[data-delegate]')
delegate?.addEventListener('submit', (event) => {
  event.preventDefault()
  const { reason, to, until } = delegate.elements
  void working(delegate, to, () =>
    call('POST', '/api/delegations', {
      to: to.value,
      until: new Date(until.value).toISOString(),
      reason: reason.value,
    }),
  )
})

async function pressed(button, method, address) {
  missed = []
  await doing(button, () => call(method, address, {}))
  const late = missed
  if (trouble.textContent === '') return // The page is on its way anew.
  missed = undefined
  for (const event of late) changed(event)
}

for (const button of document.querySelectorAll('button[data-withdraw]')) {
  button.addEventListener('click', () => pressed(button, 'POST', button.dataset.withdraw))
}
for (const button of document.querySelectorAll('button[data-end]')) {
  button.addEventListener('click', () => pressed(button, 'DELETE', '/api/delegations/' + button.dataset.end))
}

function left(ms) {
  const seconds = Math.floor(ms / 1000)
  if (seconds <= 0) return '(over)'
  const [days, hours] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24]
  const [minutes, rest] = [Math.floor(seconds / 60) % 60, seconds % 60]
  if (days > 0) return '(' + days + ' d ' + hours + ' h left)'
  if (hours > 0) return '(' + hours + ' h ' + minutes + ' min left)'
  return minutes > 0 ? '(' + minutes + ' min ' + rest + ' s left)' : '(' + rest + ' s left)'
}

/** A form that can do nothing any more. */
function shut(words) {
  for (const button of document.querySelectorAll('form[data-decide] button')) button.disabled = true
  say(words)
}

/** Says it, with a link to the page as it is now: what somebody has typed is not taken from them. */
function say(words) {
  const link = document.createElement('a')
  link.href = location.pathname
  link.textContent = 'Show it as it is now'
  status.replaceChildren(words + ' ', link)
}

let isOver = false
function count() {
  for (const place of document.querySelectorAll('[data-until]')) {
    const ms = Date.parse(place.dataset.until) - Date.now()
    place.textContent = left(ms)
    if (ms > 0 || isOver || !one || one.dataset.state !== 'pending') continue
    isOver = true
    shut(sentences.expired)
  }
}
count()
setInterval(count, 1000)

function changed(event) {
  if (missed !== undefined) {
    missed.push(event)
    return
  }
  const { approvals, id, state } = event
  const place = document.querySelector('[data-ticket="' + CSS.escape(id) + '"]')
  if (one) {
    if (one.dataset.ticket !== id) return
    if (one.dataset.state === state) {
      if (approvals > Number(one.dataset.approvals ?? 0)) say('Somebody else has approved.')
      return
    }
    one.dataset.state = state
    one.querySelector('[data-state-words]').textContent = sentences[state]
    if (state === 'pending') say(sentences[state])
    else shut(sentences[state])
  } else if (!place) say('A held call is new here, or has changed.')
  else if (place.dataset.state !== state) {
    place.dataset.state = state
    place.querySelector('.state').textContent = names[state]
    say(place.querySelector('a').textContent + ': ' + sentences[state])
  }
}

if (status && (one || document.querySelector('.cards, #waiting'))) {
  const events = new EventSource('/api/tickets/events')
  events.addEventListener('ticket', ({ data }) => changed(JSON.parse(data)))
  events.onerror = () => {
    if (events.readyState === EventSource.CLOSED) status.textContent = 'This page does not follow what happens any more. Load it again.'
  }
  addEventListener('pagehide', () => events.close())
}

// Until here a press would do nothing, or send a form by its address.
const ready = 'form[data-decide]:not([data-shut]) button, form[data-review] button, ' +
  'form[data-accept] button, form[data-delegate] button, button[data-withdraw], button[data-end]'
for (const button of document.querySelectorAll(ready)) button.disabled = false

if (location.hash === '#state') {
  history.replaceState(null, '', location.pathname)
  document.querySelector('[data-state-words]')?.focus()
}
`
