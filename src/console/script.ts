/** The console's one script, served as a file. It carries the session's token with each change. */
export const script = `'use strict'
const csrf = document.querySelector('meta[name=csrf]').content
const trouble = document.querySelector('[data-trouble]')
const dialog = document.querySelector('dialog[data-why]')

async function call(method, address, body) {
  const answer = await fetch(address, {
    method,
    headers: { 'content-type': 'application/json', 'x-sallyport-csrf': csrf },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (answer.status === 204) return undefined
  const told = await answer.json().catch(() => ({ error: 'The gateway could not do it. Try again.' }))
  if (answer.ok) return told
  if (answer.status === 401) location.assign(location.pathname)
  if (told.reason === 'reauthenticate') {
    location.assign('/again?to=' + encodeURIComponent(location.pathname))
  }
  throw new Error(told.error)
}

/** The reason somebody gives, or undefined where they think better of it. */
function reasonFor(title) {
  const field = dialog.querySelector('input')
  dialog.querySelector('h2').textContent = title
  dialog.returnValue = ''
  field.value = ''
  dialog.showModal()
  // The event comes a little after the closing: one of before is not this one's.
  return new Promise((resolve) => {
    dialog.onclose = () => {
      if (!dialog.open) resolve(dialog.returnValue === 'yes' ? field.value : undefined)
    }
  })
}

async function doing(element, work) {
  element.disabled = true
  trouble.textContent = ''
  try {
    await work()
    location.reload()
  } catch (error) {
    trouble.textContent = error.name === 'NotAllowedError' ? 'The passkey was not added.' : error.message
    element.disabled = false
    element.focus()
  }
}

for (const button of document.querySelectorAll('button[data-delete]')) {
  button.addEventListener('click', async () => {
    const { delete: address, why } = button.dataset
    const reason = why === undefined ? undefined : await reasonFor(why)
    if (why !== undefined && reason === undefined) return
    await doing(button, () => call('DELETE', address, reason && { reason }))
  })
}

const enrol = document.querySelector('form[data-enrol]')
enrol?.addEventListener('submit', (event) => {
  event.preventDefault()
  void doing(enrol.querySelector('button'), async () => {
    const options = await call('POST', '/api/me/passkeys/options', {})
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
    const credential = await navigator.credentials.create({ publicKey })
    const label = enrol.elements.label.value
    await call('POST', '/api/me/passkeys', { label, response: credential.toJSON() })
  })
})

const find = document.querySelector('form[data-find]')
const found = document.querySelector('[data-found]')
find?.addEventListener('submit', async (event) => {
  event.preventDefault()
  trouble.textContent = ''
  try {
    const { principals } = await call('POST', '/api/principals/search', { text: find.elements.text.value })
    found.replaceChildren(...principals.map(line))
    if (principals.length === 0) found.replaceChildren(item('Nobody of this name is known here.'))
  } catch (error) {
    trouble.textContent = error.message
  }
})

function item(text) {
  const made = document.createElement('li')
  made.textContent = text
  return made
}

function line({ id, name, subject, issuer }) {
  const made = item((name || subject) + ', ' + subject + ' of ' + issuer + ' ')
  const button = document.createElement('button')
  button.textContent = 'Stop'
  button.setAttribute('aria-label', 'Stop ' + (name || subject))
  button.addEventListener('click', async () => {
    const reason = await reasonFor('Stop ' + (name || subject))
    if (reason === undefined) return
    await doing(button, () => call('POST', '/api/revocations', { principal: id, reason }))
  })
  made.append(button)
  return made
}

// Until here a press would do nothing, or send a form by its address.
const mine = 'button[data-delete], [data-enrol] button, [data-find] button'
for (const button of document.querySelectorAll(mine)) button.disabled = false
`
