/** Service accounts of the gateway's own are principals of this issuer. */
export const serviceIssuer = 'urn:sallyport:service-accounts'
/** The name by which `access` knows it. */
export const serviceIssuerName = 'service-accounts'
