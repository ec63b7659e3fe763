/** Returns the `Authorization` header with a client's id and secret. Both must be encoded with {@link formEncode}, unless a client sent them so. */
export function basicHeader(id: string, secret: string): Readonly<Record<'authorization', string>> {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` };
}

/** RFC 6749, section 2.3.1 and appendix B. */
export function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
