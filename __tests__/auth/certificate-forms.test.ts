import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Logger } from '../../src/core/logger.js';
import { createAppWithKeys, makeKey } from '../support/api-keys.js';
import { CLIENT, OTHER_CLIENT } from '../support/certificates.js';
import { claims, expectInvalidToken } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner } from '../support/signer.js';

const WRONG = 'The token is bound to another client certificate';
const pem = CLIENT.cert;
const der = new X509Certificate(pem).raw;
const otherDer = new X509Certificate(OTHER_CLIENT.cert).raw;
const joinedBy = (separator: string, text = pem) => text.replaceAll('\n', separator);

const cnf = { 'x5t#S256': createHash('sha256').update(der).digest('base64url') };
const signer = createSigner();
const apiKey = makeKey({ claims: { cnf } });

const CREDENTIALS: [what: string, credential: string][] = [
  ['a JWT', signer.sign(claims({ cnf }))],
  ['an opaque token', 'opaque'],
  ['an API key', apiKey.key],
];

async function send(credential: string, certificate: unknown, logger?: Logger) {
  const senderConstraint = { mtls: { getCertificate: () => certificate } };
  const verifiers = [() => ({ scopes: [], extra: { cnf } })];
  const policy = { jwks: { keys: [signer.jwk] }, verifiers, senderConstraint, ...(logger && { logger }) };
  return createAppWithKeys([apiKey.entry], policy).send(credential);
}

describe.each(CREDENTIALS)('%s that is bound to a certificate', (_what, credential) => {
  test.each<[form: string, certificate: string | Uint8Array]>([
    ['PEM', pem],
    ['PEM with CRLF', joinedBy('\r\n')],
    ['PEM with tabs, as nginx had it in a header', joinedBy('\n\t')],
    ['PEM in one line with spaces, as Apache has it in a header', joinedBy(' ')],
    ['PEM in one line with tabs', joinedBy('\t')],
    ['PEM after text', `subject=CN=a\n${pem}`],
    ['PEM of a chain', `${pem}\n${OTHER_CLIENT.cert}`],
    ['PEM in a Buffer', Buffer.from(pem)],
    ['PEM after text in a Buffer', Buffer.from(`0123\n${pem}`)],
    ['DER', der],
    ['DER in a Uint8Array', new Uint8Array(der)],
    ['DER in a part of a buffer', new Uint8Array([0, ...der, 0]).subarray(1, -1)],
  ])('passes with it as %s', async (_form, certificate) => {
    expect((await send(credential, certificate)).status).toBe(200);
  });

  test.each<[form: string, certificate: string | Uint8Array]>([
    ['another as PEM', OTHER_CLIENT.cert],
    ['another as DER', otherDer],
    ['another before it', `${OTHER_CLIENT.cert}\n${pem}`],
    ['another whose DER contains it as PEM', Buffer.concat([otherDer, Buffer.from(`\n${pem}`)])],
    ['another whose name contains it', `subject=CN=${joinedBy(' ')}\n${OTHER_CLIENT.cert}`],
    ['another whose name has a line separator', `CN=\u2028${joinedBy(' ')}\n${OTHER_CLIENT.cert}`],
    ['it URL-encoded', encodeURIComponent(pem)],
    ['a header of Envoy that has it, decoded', `Hash=${'0'.repeat(64)};Cert="${pem}"`],
    ['its Base64 alone', der.toString('base64')],
    ['its DER as text', der.toString('latin1')],
    ['its key', CLIENT.key],
    ['an empty PEM', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----'],
    ['an empty text', ''],
    ['no bytes', new Uint8Array()],
  ])('is refused with %s', async (_form, certificate) => {
    expectInvalidToken(await send(credential, certificate), WRONG);
  });

  test('is refused with a line in the log if there is neither PEM nor DER', async () => {
    const { lines, logger } = createRecordingLogger();
    await send(credential, encodeURIComponent(pem), logger);
    expect(lines.filter((line) => line.includes('getCertificate gave neither PEM nor DER'))).toHaveLength(1);
    await send(credential, OTHER_CLIENT.cert, logger);
    expect(lines.filter((line) => line.includes('getCertificate gave'))).toHaveLength(1);
  });
});
