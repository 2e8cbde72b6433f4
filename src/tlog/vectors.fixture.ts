/** The vectors of `tests/vectors/tlog.json`, whose source stands in the file, and trees of theirs. */
import { readFileSync } from 'node:fs'
import { leafHash } from './merkle.ts'
import { TileBuilder, tilePath } from './tiles.ts'
import type { TileReader } from './tiles.ts'

interface InclusionCase {
  readonly index: number
  readonly size: number
  readonly proof: string[]
}
interface ConsistencyCase {
  readonly old: number
  readonly new: number
  readonly proof: string[]
}
type NegativeCase = { readonly case: string; readonly expect: 'accept' | 'reject' } & (
  | (InclusionCase & { readonly kind: 'inclusion'; readonly leafHash: string; root: string })
  | (ConsistencyCase & { readonly kind: 'consistency'; oldRoot: string; newRoot: string })
)
export interface KeyVector {
  readonly name: string
  readonly keyId: string
  readonly publicKey: string
  readonly seed: string
  readonly vkey: string
}

export interface Vectors {
  readonly merkle: {
    readonly leaves: { readonly i: number; readonly leafHash: string }[]
    readonly otherLeaves: {
      readonly dataHex?: string
      readonly len: number
      readonly leafHash: string
    }[]
    readonly nodes: { readonly level: number; readonly index: number; readonly hash: string }[]
    readonly roots: { readonly size: number; readonly root: string }[]
    readonly rootsDigest: { readonly sha256: string }
  }
  readonly inclusion: { readonly digest: { sha256: string }; readonly proofs: InclusionCase[] }
  readonly consistency: { readonly digest: { sha256: string }; readonly proofs: ConsistencyCase[] }
  readonly negative: NegativeCase[]
  readonly tilePaths: { path: string; level: number | 'entries'; index: number; width: number }[]
  readonly tilePathsInvalid: string[]
  readonly tiles: {
    readonly sizes: {
      readonly size: number
      readonly tileCount: number
      readonly totalBytes: number
      readonly manifestSha256: string
      readonly tiles: { readonly path: string; readonly bytes: number; readonly sha256: string }[]
    }[]
  }
  readonly entryBundles: {
    readonly bundles: {
      readonly path: string
      readonly bytes: number
      readonly entries: [number, number]
      readonly hex?: string
      readonly sha256: string
    }[]
    readonly edge: { readonly bytes: number; readonly prefixHex: string; readonly sha256: string }
    readonly invalid: { readonly hex: string; readonly why: string }[]
  }
  readonly signedNote: {
    readonly key: KeyVector & { readonly keyIdPreimageHex: string }
    readonly notes: { readonly note: string; readonly text: string; signatureHex: string }[]
    readonly specExample: { readonly note: string; readonly vkey: string }
    readonly reject: { readonly note: string; readonly why: string; readonly goError: string }[]
  }
  readonly checkpoints: {
    readonly origin: string
    readonly vkey: string
    readonly valid: { readonly body: string; readonly note: string; readonly size: number }[]
    readonly invalidBodies: { readonly body: string; readonly why: string }[]
  }
  readonly cosignatureV1: {
    readonly key: KeyVector
    readonly lineBytesHex: string
    readonly note: string
    readonly signedMessage: string
    readonly timestamp: number
  }
  readonly mlDsa44: {
    readonly name: string
    readonly keyId: string
    readonly seed: string
    readonly publicKeyB64: string
    readonly vkey: string
    readonly timestamp: number
    readonly origin: string
    readonly start: number
    readonly end: number
    readonly signedMessageHex: string
    readonly note: string
  }
  readonly witness: {
    readonly originHash: string
    readonly requests: { readonly body: string; readonly new: number; readonly old: number }[]
    readonly response200: string
    readonly response409: { readonly body: string; readonly contentType: string }
  }
  readonly tlogProof: {
    readonly index: number
    readonly leaf: string
    readonly proof: string
    readonly size: number
    readonly extra?: string
  }[]
  readonly dsse: {
    readonly cases: {
      readonly payload: string
      readonly payloadB64: string
      readonly payloadType: string
      readonly paeHex: string
      readonly ed25519SigB64: string
    }[]
  }
}

const file = new URL('../../tests/vectors/tlog.json', import.meta.url)
// oxlint-disable-next-line typescript/no-unsafe-assignment -- the tests find out what is not so
export const vectors: Vectors = JSON.parse(readFileSync(file, 'utf8'))

/** The bytes of a hex string, and of several. */
export const hex = (text: string): Buffer => Buffer.from(text, 'hex')
export const hexes = (texts: readonly string[]): Buffer[] => texts.map(hex)

/** Entry `i` of the vectors' tree, and its leaf hash. */
export const entry = (i: number): Buffer => Buffer.from(`entry-${i}`)
export const leaf = (i: number): Buffer => leafHash(entry(i))

/** The leaf hashes of the first `size` entries. */
export function leavesOf(size: number): Buffer[] {
  return Array.from({ length: size }, (_, i) => leaf(i))
}

/** The tiles of a tree with these leaves, as path and bytes. */
export function tilesOver(leaves: readonly Uint8Array[]): Map<string, Buffer> {
  const builder = new TileBuilder()
  builder.append(Buffer.concat(leaves))
  return new Map(builder.take().map(({ bytes, tile }) => [tilePath(tile), bytes]))
}

/** Reads tiles out of a map of paths; a missing one fails as a missing file would. */
export function readerOf(tiles: ReadonlyMap<string, Buffer>): TileReader {
  return (tile) => {
    const bytes = tiles.get(tilePath(tile))
    return bytes ? Promise.resolve(bytes) : Promise.reject(new Error(`no ${tilePath(tile)}`))
  }
}
