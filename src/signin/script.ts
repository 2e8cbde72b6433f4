/**
 * The one script of these pages, served as a file. It asks the browser for a passkey, and takes the
 * secret of an invitation out of the address. Without it passwords and providers still work.
 *
 *     <button data-passkey="get" data-options="URL" data-finish="URL" data-sign-in="ID">
 *     <form data-invite><input type="hidden" name="secret">
 *     <p role="alert" data-trouble>
 */
export const script = `'use strict'
const trouble = document.querySelector('[data-trouble]')

async function post(address, body) {
  const answer = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const told = await answer.json()
  if (!answer.ok) throw new Error(told.error)
  return told
}

async function ask(kind, publicKey) {
  if (kind === 'get') {
    const options = PublicKeyCredential.parseRequestOptionsFromJSON(publicKey)
    return await navigator.credentials.get({ publicKey: options })
  }
  const options = PublicKeyCredential.parseCreationOptionsFromJSON(publicKey)
  return await navigator.credentials.create({ publicKey: options })
}

function words(error) {
  if (error.name === 'NotAllowedError') return 'The passkey was not used. Try again when you are ready.'
  if (error.name === 'InvalidStateError') return 'This device holds a passkey for this account already.'
  if (error.name === 'SecurityError') return 'Passkeys do not work at this address.'
  return error.message || 'That did not work. Try again.'
}

for (const button of document.querySelectorAll('button[data-passkey]')) {
  button.addEventListener('click', async () => {
    const { finish, options, passkey, signIn } = button.dataset
    button.disabled = true
    trouble.textContent = ''
    try {
      const credential = await ask(passkey, await post(options, { signIn }))
      const { next } = await post(finish, { signIn, response: credential.toJSON() })
      location.assign(next)
    } catch (error) {
      trouble.textContent = words(error)
      button.disabled = false
      button.focus()
    }
  })
  button.disabled = false
}

const invite = document.querySelector('form[data-invite]')
if (invite) {
  invite.elements.secret.value = location.hash.slice(1)
  history.replaceState(null, '', location.pathname)
  invite.querySelector('button').disabled = false
}
`
