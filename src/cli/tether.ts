/**
 * Preloaded (`node --import`) into a server that the demo starts: whatever address and port the
 * server asks for, it listens on loopback at a port the system picks, tells its parent which, and
 * ends when the parent is gone. `server-everything` would otherwise bind every interface, and a
 * parent killed by SIGKILL could not take its children along.
 */
import { Server } from 'node:net'

type Listen = (this: Server, ...args: unknown[]) => Server

const listen: unknown = Reflect.get(Server.prototype, 'listen')

function isListen(value: unknown): value is Listen {
  return typeof value === 'function'
}

function tell(server: Server): void {
  const address = server.address()
  if (typeof address === 'object' && address !== null) process.send?.({ port: address.port })
}

if (isListen(listen) && process.send !== undefined) {
  const original = listen
  const onLoopback: Listen = function (...args) {
    const ready = args.find((arg) => typeof arg === 'function')
    this.once('listening', () => tell(this))
    return original.call(this, { port: 0, host: '127.0.0.1' }, ready)
  }
  Reflect.set(Server.prototype, 'listen', onLoopback)
  // The channel closes with the parent's process, however that ended.
  process.on('disconnect', () => process.exit(0))
}
