/** The tag of a SEQUENCE. Every certificate in DER begins with it and a length that is not ASCII (RFC 5280, section 4.1), and so no PEM does. */
const SEQUENCE = 0x30;
const LONG_LENGTH = 0x80;

/**
 * A certificate in PEM (RFC 7468). In a header, other white space may be in place of its line ends. It must begin a line: a client chooses the
 * names in the text before it.
 */
const PEM = /(?:^|[\r\n])[ \t]*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/= \t\r\n]+)-----END CERTIFICATE-----/;

/** Returns a client's certificate, which is PEM or DER, as DER; undefined if it is neither. Of several in PEM, the first one counts. */
export function certificateDer(certificate: string | Uint8Array): Buffer | undefined {
  if (typeof certificate === 'string') return derOfPem(certificate);
  const bytes = Buffer.from(certificate.buffer, certificate.byteOffset, certificate.byteLength);
  const isDer = bytes[0] === SEQUENCE && (bytes[1] ?? 0) >= LONG_LENGTH;
  // DER is not searched for PEM: its names could contain the certificate of another client.
  return isDer ? bytes : derOfPem(bytes.toString('latin1'));
}

function derOfPem(text: string): Buffer | undefined {
  const base64 = (PEM.exec(text)?.[1] ?? '').replace(/[ \t\r\n]/g, '');
  return base64 === '' ? undefined : Buffer.from(base64, 'base64');
}
