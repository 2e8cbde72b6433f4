/** Writing small JSON of our own: refusals, answers the gateway gives itself, encoded strings. */

/** What our own messages are made of. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined }

/**
 * The JSON string token of `text`, quotes included, as UTF-8. Half surrogates come out as escapes
 * (ECMA-262, well-formed JSON.stringify), so the bytes are always valid.
 */
export function encodeJsonString(text: string): Uint8Array {
  return Buffer.from(JSON.stringify(text))
}

/** `value` as compact UTF-8 JSON; members that are undefined are left out. */
export function writeJson(value: Json): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

/**
 * A JSON-RPC error response (JSON-RPC 2.0 §5.1).
 * @param idRaw the request's id as its raw token, so that `1` and `"1"` and twenty digits come back
 *   as they were; undefined becomes `null`, for requests whose id could not be read.
 */
export function rpcError(
  idRaw: string | undefined,
  error: { readonly code: number; readonly message: string; readonly data?: Json },
): Uint8Array {
  return Buffer.from(`{"jsonrpc":"2.0","id":${idRaw ?? 'null'},"error":${JSON.stringify(error)}}`)
}

/** A JSON-RPC result response; `idRaw` as in `rpcError`, but always there. */
export function rpcResult(idRaw: string, result: Json): Uint8Array {
  return Buffer.from(`{"jsonrpc":"2.0","id":${idRaw},"result":${JSON.stringify(result)}}`)
}
