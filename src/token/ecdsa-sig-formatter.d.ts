declare module 'ecdsa-sig-formatter' {
  /**
   * The signature of a JWS (RFC 7518, section 3.4) as DER (RFC 3279, section 2.2.3).
   *
   * @throws {TypeError} Where it has not the length that `alg` has.
   */
  export function joseToDer(signature: Buffer, alg: string): Buffer;
}
