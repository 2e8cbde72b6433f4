/** For tests: an authority of our own with a certificate for this machine and one for a client. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Paths of PEM files, in a folder that `remove` takes away. */
export interface Certificates {
  readonly ca: string
  readonly server: { readonly cert: string; readonly key: string }
  readonly client: { readonly cert: string; readonly key: string }
  readonly folder: string
  remove(): void
}

/** The reason to skip where certificates cannot be made, else false: as `skip` of a test wants it. */
export const noOpenssl: string | false =
  spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0
    ? false
    : 'openssl is not installed (Debian: apt-get install openssl)'

/** Makes them with the `openssl` program, for one day. The server is `localhost` and `upstream.test`. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-tls-'))
  const at = (name: string): string => join(folder, name)
  const run = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  }
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  run(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '1',
    '-subj',
    '/CN=ca',
  )
  const sign = (name: string, extension: string): { cert: string; key: string } => {
    writeFileSync(at(`${name}.ext`), extension)
    run('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    const from = ['-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial']
    run('x509', '-req', ...from, '-days', '1', '-extfile', `${name}.ext`, '-out', `${name}.pem`)
    return { cert: at(`${name}.pem`), key: at(`${name}.key`) }
  }
  return {
    ca: at('ca.pem'),
    server: sign('server', 'subjectAltName=DNS:localhost,DNS:upstream.test'),
    client: sign('client', 'extendedKeyUsage=clientAuth'),
    folder,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** A key as the configuration hands it in. */
export function keyOf(file: string): { reveal(): string } {
  return { reveal: () => readFileSync(file, 'utf8') }
}
