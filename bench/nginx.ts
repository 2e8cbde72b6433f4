/** nginx as a plain proxy with one worker, when it is installed. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { end, placed } from './processes.ts'
import type { Running } from './processes.ts'

/** Its version, or undefined when there is none on this machine. */
export function nginxVersion(): string | undefined {
  const asked = spawnSync('nginx', ['-v'], { encoding: 'utf8' })
  return asked.status === 0 ? asked.stderr.trim().replace('nginx version: ', '') : undefined
}

/**
 * Starts it in front of the server, where it is installed.
 * @param folder where its configuration and temporary files go.
 */
export async function startNginx(
  folder: string,
  upstreamPort: number,
): Promise<Running | undefined> {
  if (nginxVersion() === undefined) return undefined
  mkdirSync(join(folder, 'tmp'), { recursive: true })
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, configuration(folder, port, upstreamPort))
  const args = ['-p', folder, '-c', file, '-e', join(folder, 'error.log')]
  const [command, placedArgs] = placed('measured', 'nginx', args)
  const child = spawn(command, placedArgs, { stdio: 'inherit' })
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries > 100) throw new Error('nginx does not answer')
    await wait(50)
  }
  return { child, port, end: () => end(child) }
}

function configuration(folder: string, port: number, upstreamPort: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/tmp/${kind};`)
    .join('\n  ')
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary}
  keepalive_requests 100000000;
  client_body_buffer_size 64k;
  client_max_body_size 8m;
  proxy_buffers 16 64k;
  proxy_buffer_size 64k;
  proxy_busy_buffers_size 128k;
  proxy_max_temp_file_size 0;
  upstream server_behind { server 127.0.0.1:${upstreamPort}; keepalive 128; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / {
      proxy_pass http://server_behind;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
