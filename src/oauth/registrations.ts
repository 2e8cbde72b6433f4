/**
 * How many programs may register themselves. Whoever has many addresses must neither fill the record
 * nor shut honest programs out: what is full drops the oldest that nobody ever allowed anything, and
 * what is bounded by the hour is free again after it.
 */
import type { Clock } from '../base/clock.ts'
import { Rate } from '../base/rate.ts'
import type { Store } from './store.ts'

const hourMs = 3_600_000
/** Of all networks together: at the full rate an unused client is kept for fifty minutes, which is
 *  longer than anybody takes to sign in. */
const perHourMax = 12_000
/** What a site of many IPv6 networks may do, in networks. */
const networksOfSite = 8
const clientsMax = 10_000

export interface RegistrationLimits {
  /** From one network, a /64 of IPv6. */
  readonly perNetworkHourMax: number
  readonly perHourMax?: number
  readonly clientsMax?: number
}

export class Registrations {
  readonly #store: Pick<Store, 'makeRoomForClient'>
  readonly #networks: Rate
  readonly #sites: Rate
  readonly #all: Rate
  readonly #clientsMax: number

  constructor(clock: Clock, store: Pick<Store, 'makeRoomForClient'>, limits: RegistrationLimits) {
    const timesMax = limits.perNetworkHourMax
    const windowMs = hourMs
    this.#store = store
    this.#networks = new Rate({ clock, timesMax, windowMs })
    const ofSite = timesMax * networksOfSite
    this.#sites = new Rate({ clock, timesMax: ofSite, windowMs, networkBits: 48 })
    this.#all = new Rate({ clock, timesMax: limits.perHourMax ?? perHourMax, windowMs })
    this.#clientsMax = limits.clientsMax ?? clientsMax
  }

  /** Whether an address may send a registration now, good or bad. */
  mayAsk(ip: string): boolean {
    // Who is over the bound of a network does not use up that of the site.
    return this.#networks.take(ip) && (!ip.includes(':') || this.#sites.take(ip))
  }

  /** Whether a good one may be kept; makes room for it. */
  mayKeep(): boolean {
    return this.#all.take('') && this.#store.makeRoomForClient(this.#clientsMax)
  }
}
