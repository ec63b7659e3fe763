import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { claims, createGate, METADATA_URL } from '../support/gate.js';
import { createSigner } from '../support/signer.js';
import { CERTIFICATE, OTHER_CERTIFICATE } from './certificates.js';

const signer = createSigner();
const plain = signer.sign(claims());

describe('the certificate of the connection', () => {
  const der = new X509Certificate(CERTIFICATE).raw;
  const thumbprint = createHash('sha256').update(der).digest('base64url');
  const token = signer.sign(claims({ cnf: { 'x5t#S256': thumbprint } }));
  const gateWith = (certificate: unknown, required = false) =>
    createGate({ mtls: { getCertificate: () => certificate, required } }, signer);

  test.each([
    ['PEM', CERTIFICATE],
    ['DER', der],
  ])('the right one as %s passes, again and again', async (_name, certificate) => {
    const gate = gateWith(certificate, true);
    for (const _ of [1, 2]) expect((await gate.send(token)).status).toBe(200);
  });

  test.each<[name: string, certificate: unknown, description: string]>([
    ['another', OTHER_CERTIFICATE, 'The token is bound to another client certificate'],
    ['none', undefined, 'A token bound to a client certificate is required, on a connection with that certificate'],
    ['rubbish', 'rubbish', 'The token is bound to another client certificate'],
    ['an empty one', Buffer.alloc(0), 'The token is bound to another client certificate'],
  ])('%s is refused, also once the token is known', async (_name, certificate, description) => {
    let shown: unknown = CERTIFICATE;
    const gate = createGate({ mtls: { getCertificate: () => shown } }, signer);
    expect((await gate.send(token)).status).toBe(200);
    shown = certificate;
    const response = await gate.send(token);
    expect(response.status).toBe(401);
    expect(response.body).toEqual({ error: 'invalid_token', error_description: description });
  });

  test('a bound token is refused where mtls is not set', async () => {
    expect((await createGate({}, signer).send(token)).status).toBe(401);
  });

  test('a plain token passes unless certificates are required', async () => {
    expect((await gateWith(CERTIFICATE).send(plain)).status).toBe(200);
    const strict = gateWith(CERTIFICATE, true);
    for (const _ of [1, 2]) expect((await strict.send(plain)).status).toBe(401);
  });

  test.each([new Error('broken'), undefined, null, 0, '', false, 'route', 'router'])(
    'a getCertificate that throws %j is our trouble, and lets nobody in',
    async (thrown) => {
      const getCertificate = () => {
        throw thrown;
      };
      expect((await createGate({ mtls: { getCertificate, required: true } }, signer).send(token)).status).toBe(500);
    },
  );

  test('a getCertificate that returns null has seen none', async () => {
    const response = await createGate({ mtls: { getCertificate: () => null } }, signer).send(token);
    expect(response.body.error_description).toContain('on a connection with that certificate');
  });

  test('the metadata says so', async () => {
    const { body } = await gateWith(undefined).get(undefined, new URL(METADATA_URL).pathname);
    expect(body.tls_client_certificate_bound_access_tokens).toBe(true);
  });
});
