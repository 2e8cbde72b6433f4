/** What a token may be for: one connection of this gateway, or the gateway (RFC 8707). */

export interface Resources {
  /** The audience of a token for this resource; undefined for what is none of ours. */
  audienceOf(resource: string): string | undefined
  /** Name of the connection; undefined for the gateway as a whole, and for what is none of ours. */
  connectionOf(resource: string): string | undefined
}

/** @param publicUrl origin of the gateway; @param connections their names. */
export function resourcesOf(publicUrl: string, connections: readonly string[]): Resources {
  const names = new Map(connections.map((name) => [`${publicUrl}/mcp/${name}`, name]))
  // Characters are compared, nothing is normalised: two spellings never are one resource. But the
  // slash at the end, which address libraries put behind a bare origin (MCP, Authorization).
  const bare = (resource: string): string => resource.replace(/\/$/, '')
  return {
    audienceOf: (resource) => {
      const wanted = bare(resource)
      return wanted === publicUrl || names.has(wanted) ? wanted : undefined
    },
    connectionOf: (resource) => names.get(bare(resource)),
  }
}
