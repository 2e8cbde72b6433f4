/** The pages of sign-in: plain HTML which works by keyboard alone, and without a script but for passkeys. */
import { html } from 'hono/html'

/** HTML whose values were escaped. */
export type Markup = ReturnType<typeof html>

/** What every page needs to point to its neighbours. */
export interface Here {
  /** Path all pages lie below. */
  readonly base: string
}

interface PageOptions {
  readonly title: string
  /** What went wrong, in a sentence. */
  readonly trouble?: string | undefined
  /** The browser goes there by itself. */
  readonly next?: string | undefined
}

/** A whole page. */
function page(here: Here, { next, title, trouble }: PageOptions, body: Markup): Markup {
  const onward =
    next === undefined ? '' : html`<meta http-equiv="refresh" content="0;url=${next}" />`
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title} · Sallyport</title>
        ${onward}
        <link rel="stylesheet" href="${here.base}/style.css" />
        <script src="${here.base}/passkey.js" defer></script>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          <p role="alert" data-trouble>${trouble ?? ''}</p>
          ${body}
        </main>
      </body>
    </html>`
}

/** The one page for everything that does not go on. */
export function refusedPage(here: Here, sentence: string): Markup {
  const body = html`<p>${sentence}</p>
    <p class="soft">Nobody was signed in. Go back to where you came from to begin again.</p>`
  return page(here, { title: 'Not signed in' }, body)
}

/** Which way to sign in. Links, not forms: the way leads to another origin. */
export function choicePage(
  here: Here,
  signIn: string,
  methods: readonly { readonly name: string; readonly label: string }[],
): Markup {
  const line = ({ label, name }: { name: string; label: string }): Markup => {
    const address = `${here.base}/go/${encodeURIComponent(name)}?f=${signIn}`
    return html`<li><a class="button" href="${address}">${label}</a></li>`
  }
  const body = html`<ul>
    ${methods.map(line)}
  </ul>`
  return page(here, { title: 'Sign in' }, body)
}

export interface AccountPageOptions {
  readonly signIn: string
  readonly hasPasskeys: boolean
  readonly hasPasswords: boolean
  readonly hasBreakGlass: boolean
  readonly name?: string | undefined
  readonly trouble?: string | undefined
}

/** Local accounts: a passkey first. */
export function accountPage(here: Here, options: AccountPageOptions): Markup {
  const { hasBreakGlass, hasPasskeys, hasPasswords, signIn, trouble } = options
  const passkey = hasPasskeys
    ? passkeyButton(here, 'get', signIn, 'Sign in with a passkey')
    : html`<p class="soft">Passkeys do not work at this address of the site.</p>`
  const password = hasPasswords
    ? html`<h2>With a password</h2>
        ${passwordForm(here, options)}`
    : hasBreakGlass
      ? html`<p class="soft"><a href="${here.base}/emergency?f=${signIn}">Emergency access</a></p>`
      : ''
  return page(here, { title: 'Sign in', trouble }, html`${passkey}${password}`)
}

/** Break-glass accounts where nobody else has a password. */
export function emergencyPage(here: Here, options: AccountPageOptions): Markup {
  const body = html`<p>For emergencies only: each use raises an alert.</p>
    ${passwordForm(here, options)}`
  return page(here, { title: 'Emergency access', trouble: options.trouble }, body)
}

function passwordForm(here: Here, { name, signIn }: AccountPageOptions): Markup {
  return html`<form method="post" action="${here.base}/password">
    <input type="hidden" name="f" value="${signIn}" />
    <label
      >Account <input name="name" value="${name ?? ''}" autocomplete="username" required
    /></label>
    <label
      >Password <input name="password" type="password" autocomplete="current-password" required
    /></label>
    <button class="second">Sign in</button>
  </form>`
}

/** The password of a break-glass account was right. */
export function keyPage(here: Here, signIn: string): Markup {
  const body = html`<p>The password is right. Now use the security key of this account.</p>
    ${passkeyButton(here, 'get', signIn, 'Use the security key')}`
  return page(here, { title: 'Emergency access' }, body)
}

function passkeyButton(here: Here, kind: 'get' | 'create', signIn: string, text: string): Markup {
  const at = kind === 'get' ? 'passkey' : 'invite/passkey'
  // Until the script has come a press would do nothing: it makes the button one.
  return html`<button
    disabled
    type="button"
    data-passkey="${kind}"
    data-sign-in="${signIn}"
    data-options="${here.base}/${at}/options"
    data-finish="${here.base}/${at}"
  >
    ${text}
  </button>`
}

/** Where a form post ends well. A redirect in its answer might lead, step by step, to a program's own
 *  address, and `form-action 'self'` would stop it there; a page of ours may send on anywhere. */
export function onwardPage(here: Here, next: string): Markup {
  const body = html`<p><a class="button" href="${next}">Continue</a></p>`
  return page(here, { title: 'You are signed in', next }, body)
}

/** The first page of an invitation: its secret stands behind the `#`, where no server sees it. */
export function invitePage(here: Here): Markup {
  const body = html`<p>You have been given an account. The link works once.</p>
    <form method="post" action="${here.base}/invite" data-invite>
      <input type="hidden" name="secret" />
      <button disabled>Set it up</button>
    </form>
    <noscript><p>Setting up an account needs JavaScript.</p></noscript>`
  return page(here, { title: 'Your account' }, body)
}

export interface EnrolPageOptions {
  readonly signIn: string
  readonly name: string
  readonly wants: { readonly passkey: boolean; readonly password: boolean }
  readonly isBreakGlass: boolean
  readonly trouble?: string | undefined
}

/** What is still to be set up for an account. */
export function enrolPage(here: Here, options: EnrolPageOptions): Markup {
  const { isBreakGlass, name, signIn, trouble, wants } = options
  const what = isBreakGlass ? 'Add the security key' : 'Add a passkey'
  const passkey = wants.passkey ? passkeyButton(here, 'create', signIn, what) : ''
  const password = wants.password
    ? html`<h2>${wants.passkey ? 'Or a password' : 'The password'}</h2>
        <form method="post" action="${here.base}/invite/password">
          <input type="hidden" name="f" value="${signIn}" />
          <label>Account <input value="${name}" autocomplete="username" readonly /></label>
          <label
            >Password, 12 characters or more, with a letter and a digit
            <input name="password" type="password" autocomplete="new-password" required
          /></label>
          <button class="second">Set the password</button>
        </form>`
    : ''
  const body = html`<p>The account is <strong>${name}</strong>.</p>
    ${passkey}${password}`
  return page(here, { title: 'Set up your account', trouble }, body)
}

/** An invitation came to its end. */
export function readyPage(here: Here): Markup {
  const body = html`<p>The account can be used from now on. Go to where you want to sign in.</p>`
  return page(here, { title: 'Your account is ready' }, body)
}

/** A provider sent the browser here to be signed out. */
export function signedOutPage(here: Here): Markup {
  return page(here, { title: 'Signed out' }, html`<p>Your sessions here have ended.</p>`)
}
