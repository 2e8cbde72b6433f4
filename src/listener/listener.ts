/** Sockets and HTTP towards clients: node's own server, with a bound on everything. */
import { createServer as createHttp } from 'node:http'
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { Socket } from 'node:net'
import type { DropArgument } from 'node:net'
import type { Duplex } from 'node:stream'
import { Fault } from '../base/fault.ts'
import { badAnswer, codeOf, refusedConnect, tooManyHeaders } from './bad.ts'
import type { BadHttp } from './bad.ts'
import { HttpExchange } from './incoming.ts'
import type { Around, Incoming } from './incoming.ts'
import { plainIp, sourceFinder } from './source.ts'
import type { ForwardedBy, Source } from './source.ts'
import { readTls } from './tls.ts'
import type { ListenerTls } from './tls.ts'

export interface ListenerLimits {
  /** Request line, header names and values together; more is answered with 431. */
  readonly headerBytesMax: number
  /** Header fields of one request; more is answered with 431. */
  readonly headersMax: number
  /** From a request's first byte to the last of its header section. */
  readonly headersMs: number
  /** From a request's first byte to the last of its body. */
  readonly requestMs: number
  /** An idle connection is kept this long for its next request. */
  readonly keepAliveMs: number
  /** A client may take nothing for this long while bytes wait for it. */
  readonly writeStallMs: number
  /** Connections at once; more are closed unread. */
  readonly socketsMax: number
}

/** 75 s of keep-alive outlive the 60 s of common load balancers, so they close first, not we. */
const listenerDefaults: ListenerLimits = {
  headerBytesMax: 16_384,
  headersMax: 200,
  headersMs: 10_000,
  requestMs: 60_000,
  keepAliveMs: 75_000,
  writeStallMs: 60_000,
  socketsMax: 4096,
}

export interface ListenOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly tls?: ListenerTls
  readonly limits?: Partial<ListenerLimits>
  /** Addresses and CIDR ranges whose word on the source address is taken. */
  readonly trustedProxies?: readonly string[]
  /** Which header those proxies write; default `x-forwarded-for`. */
  readonly forwardedBy?: ForwardedBy
  /** Answers one request. It is to end or destroy what it began; else the connection is broken. */
  readonly serve: (incoming: Incoming) => Promise<void>
  /** Told of each thing refused below the level of requests. Must not throw. */
  readonly onBad?: (bad: BadHttp) => void
  /** Told of an error `serve` let out, or that it did not answer. Must not throw. */
  readonly onDefect?: (error: unknown) => void
}

export interface Listening {
  readonly host: string
  readonly port: number
  /**
   * Accepts nothing more, closes idle connections at once, gives running requests `graceMs` and then
   * breaks their connections. Resolves when all are closed.
   */
  close(graceMs: number): Promise<void>
}

/**
 * Starts listening.
 * @throws {Fault} `config_bad` when the address cannot be had (named, with the reason), a limit or
 *   proxy range makes no sense, or the TLS files do not work.
 */
export async function listen(options: ListenOptions): Promise<Listening> {
  const door = new Door(options)
  await door.open()
  return door
}

/** What is known of one connection. Requests on it come one after the other, never side by side. */
interface Wire {
  readonly peer: Source
  readonly around: Around
  current: HttpExchange | undefined
  /** Nothing that arrives on it any more will be read as a request. */
  isBroken: boolean
  /** The exchange whose answer was still not taken at the last sweep. */
  flushing: HttpExchange | undefined
}

class Door implements Listening {
  readonly host: string
  readonly #options: ListenOptions
  readonly #limits: ListenerLimits
  readonly #server: Server
  readonly #find: ReturnType<typeof sourceFinder>
  readonly #sockets = new Set<Socket>()
  readonly #wires = new Map<Socket, Wire>()
  readonly #sweeper: NodeJS.Timeout
  #isClosing = false

  constructor(options: ListenOptions) {
    this.#options = options
    this.host = options.host
    this.#limits = { ...listenerDefaults, ...options.limits }
    this.#find = sourceFinder(options.trustedProxies ?? [], options.forwardedBy)
    this.#server = this.#makeServer()
    this.#sweeper = setInterval(() => this.#sweep(), Math.max(50, this.#limits.writeStallMs / 4))
    this.#sweeper.unref()
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : this.#options.port
  }

  open(): Promise<void> {
    const { host, port } = this.#options
    return new Promise((resolve, reject) => {
      const refuse = (cause: Error): void => {
        clearInterval(this.#sweeper)
        reject(notListening(host, port, cause))
      }
      this.#server.once('error', refuse)
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', refuse)
        // Later errors are of accepting (out of descriptors, say): the next one may go well.
        this.#server.on('error', (error) => this.#options.onDefect?.(error))
        resolve()
      })
    })
  }

  close(graceMs: number): Promise<void> {
    this.#isClosing = true
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        for (const socket of this.#sockets) socket.destroy()
      }, graceMs)
      this.#server.close(() => {
        clearTimeout(late)
        clearInterval(this.#sweeper)
        resolve()
      })
      for (const [socket, wire] of this.#wires) {
        if (wire.current === undefined || !isBusy(wire.current)) socket.destroy()
      }
    })
  }

  #makeServer(): Server {
    const { headerBytesMax, headersMs, requestMs, keepAliveMs, socketsMax } = this.#limits
    const base: ServerOptions = {
      maxHeaderSize: headerBytesMax,
      headersTimeout: Math.min(headersMs, requestMs),
      requestTimeout: requestMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: Math.max(50, Math.min(1000, headersMs / 4, requestMs / 4)),
      insecureHTTPParser: false,
      requireHostHeader: false, // checkHost says it better, and the record hears of it.
      noDelay: true,
    }
    const { tls } = this.#options
    const server =
      tls === undefined
        ? createHttp(base)
        : createHttps({
            ...base,
            ...readTls(tls),
            minVersion: 'TLSv1.2',
            handshakeTimeout: headersMs,
          })
    server.maxConnections = socketsMax
    server.maxHeadersCount = 0 // Bytes are the bound. A count would drop headers silently.
    server.timeout = 0
    server.on('connection', (socket: Socket) => this.#holdSocket(socket))
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.#wire(socket)
    })
    server.on('request', (req, res) => this.#serve(req, res, false))
    server.on('checkContinue', (req, res) => this.#serve(req, res, true))
    server.on('checkExpectation', (req, res) => {
      this.#report('expectation', 417, this.#wire(req.socket).peer)
      res.writeHead(417, { 'content-length': '0' }).end()
    })
    server.on('connect', (_req, socket) => {
      if (socket instanceof Socket) {
        this.#report('connect', 405, peerOf(socket.remoteAddress, socket.remotePort))
      }
      socket.end(refusedConnect.bytes)
    })
    server.on('clientError', (error, socket) => this.#onClientError(error, socket))
    server.on('drop', (data?: DropArgument) => {
      this.#report('too_many_sockets', 0, peerOf(data?.remoteAddress, data?.remotePort))
    })
    return server
  }

  #holdSocket(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  #wire(socket: Socket): Wire {
    const known = this.#wires.get(socket)
    if (known !== undefined) return known
    const peer = peerOf(socket.remoteAddress, socket.remotePort)
    const around: Around = {
      source: (headers) => this.#find(peer, headers),
      writeStallMs: this.#limits.writeStallMs,
      isClosing: () => this.#isClosing,
    }
    const wire: Wire = { peer, around, current: undefined, isBroken: false, flushing: undefined }
    this.#wires.set(socket, wire)
    socket.once('end', () => wire.current?.lose())
    socket.once('close', () => {
      this.#wires.delete(socket)
      wire.current?.lose()
    })
    return wire
  }

  #serve(req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
    const wire = this.#wire(req.socket)
    if (wire.isBroken) return
    if (wire.current !== undefined && !wire.current.isEnded) {
      // A request that did not wait for the answer before it. Refused, since tools/call is not
      // idempotent (RFC 9112 §9.3.2), and since one packet could start hundreds of calls.
      wire.isBroken = true
      wire.current.makeLast()
      this.#report('pipelined', 0, wire.peer)
      return
    }
    if (req.rawHeaders.length > 2 * this.#limits.headersMax) {
      // The parser counts names and values alone: thousands of short headers are under its limit.
      this.#report('header_too_large', 431, wire.peer)
      wire.isBroken = true
      endLingering(req.socket, tooManyHeaders.bytes)
      return
    }
    const exchange = new HttpExchange(req, res, wire.around, expectsContinue)
    wire.current = exchange
    this.#options.serve(exchange).then(
      () => this.#afterServe(req.socket, wire, exchange),
      (error: unknown) => this.#afterServe(req.socket, wire, exchange, error),
    )
  }

  #afterServe(socket: Socket, wire: Wire, exchange: HttpExchange, error?: unknown): void {
    const isGone = socket.destroyed
    if (error !== undefined || (!exchange.isEnded && !isGone)) {
      this.#options.onDefect?.(error ?? new Error('serve returned without an answer'))
      if (!exchange.isBegun) exchange.begin(500, {}).end()
      else if (!exchange.isEnded) exchange.destroy()
    }
    if (wire.isBroken || this.#isClosing) closeWhenFlushed(socket, exchange)
  }

  /** Broken HTTP, a request that takes too long, or the connection's own end. */
  #onClientError(error: Error, socket: Duplex): void {
    if (!(socket instanceof Socket)) {
      socket.destroy()
      return
    }
    const code = codeOf(error)
    if (this.#options.tls !== undefined && !this.#wires.has(socket)) {
      // Its handshake failed: node hands that on as a client's error too.
      this.#report('tls', 0, peerOf(socket.remoteAddress, socket.remotePort), code)
      socket.destroy()
      return
    }
    const wire = this.#wire(socket)
    if (wire.isBroken) return
    wire.isBroken = true
    // The connection ended: nobody is there to be answered.
    if (!socket.writable || code === 'ECONNRESET' || code === 'HPE_INVALID_EOF_STATE') {
      wire.current?.lose()
      socket.destroy()
      return
    }
    const bad = badAnswer(code)
    const isSilent = bad.reason === 'too_slow' && socket.bytesRead === 0
    const current = wire.current !== undefined && isBusy(wire.current) ? wire.current : undefined
    if (current === undefined) {
      if (!isSilent) this.#report(bad.reason, bad.status, wire.peer, code)
      endLingering(socket, bad.bytes)
    } else if (current.isEnded) {
      socket.destroy() // Its answer is on the way, and the rest of the request is of no use.
    } else if (current.isComplete) {
      // Rubbish behind a good request, which is served to its end.
      this.#report(bad.reason, 0, wire.peer, code)
      current.makeLast()
    } else {
      current.refuseRest(brokenBody(bad.reason))
    }
  }

  /** Puts a limit on ended answers that a client does not take. Costs nothing per request. */
  #sweep(): void {
    for (const [socket, wire] of this.#wires) {
      const flushing = wire.current?.isFlushing === true ? wire.current : undefined
      if (flushing !== undefined && flushing === wire.flushing && !socket.timeout) {
        socket.setTimeout(this.#limits.writeStallMs)
      }
      wire.flushing = flushing
    }
  }

  #report(reason: string, status: number, source: Source, detail?: string): void {
    const bad = { reason, status, source }
    this.#options.onBad?.(detail === undefined || detail === '' ? bad : { ...bad, detail })
  }
}

function isBusy(exchange: HttpExchange): boolean {
  return !exchange.isEnded || exchange.isFlushing || !exchange.isComplete
}

function closeWhenFlushed(socket: Socket, exchange: HttpExchange): void {
  if (exchange.isFlushing) exchange.onFlushed(() => socket.destroySoon())
  else socket.destroySoon()
}

/** Answers, then reads on for a moment: closing on unread bytes would take the answer back (RST). */
function endLingering(socket: Socket, bytes: Uint8Array): void {
  socket.end(bytes)
  setTimeout(() => socket.destroy(), 500).unref()
}

function peerOf(address: string | undefined, port: number | undefined): Source {
  return { ip: plainIp(address), port: port ?? 0 }
}

function brokenBody(reason: string): Fault {
  if (reason === 'too_slow') {
    const message = 'The request did not arrive in time; nothing was forwarded.'
    return new Fault('too_slow', message, { facts: { reason: 'body' } })
  }
  const message = 'The framing of the request body is broken; nothing was forwarded.'
  return new Fault('bad_request', message, { facts: { reason: 'framing' } })
}

function notListening(host: string, port: number, cause: Error): Fault {
  const code = codeOf(cause)
  const why =
    code === 'EADDRINUSE'
      ? 'another process listens there already; stop it or choose another port'
      : code === 'EACCES'
        ? 'this user may not; ports under 1024 often need a privilege'
        : code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND'
          ? 'this machine has no such address'
          : `the system says ${code}`
  const message = `Cannot listen on ${host}:${port}: ${why}.`
  return new Fault('config_bad', message, { cause, facts: { reason: code } })
}
