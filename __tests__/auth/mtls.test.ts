import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CLIENT, OTHER_CLIENT } from '../support/certificates.js';
import { listen, stop } from '../support/loopback-server.js';
import { claims, createProtectedApp, METADATA_URL } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const CERTIFICATE = CLIENT.cert;
const OTHER_CERTIFICATE = OTHER_CLIENT.cert;

const signer = createSigner();
const plain = signer.sign(claims());

describe('the certificate of the connection', () => {
  const der = new X509Certificate(CERTIFICATE).raw;
  const thumbprint = createHash('sha256').update(der).digest('base64url');
  const token = signer.sign(claims({ cnf: { 'x5t#S256': thumbprint } }));
  const gateWith = (certificate: unknown, required = false) =>
    createProtectedApp({ senderConstraint: { mtls: { getCertificate: () => certificate, required } } }, signer);

  test.each([
    ['PEM', CERTIFICATE],
    ['DER', der],
  ])('the right one as %s passes, again and again', async (_name, certificate) => {
    const protectedApp = gateWith(certificate, true);
    for (const _ of [1, 2]) expect((await protectedApp.send(token)).status).toBe(200);
  });

  test.each<[name: string, certificate: unknown, description: string]>([
    ['another', OTHER_CERTIFICATE, 'The token is bound to another client certificate'],
    ['none', undefined, 'A token bound to a client certificate is required, on a connection with that certificate'],
    ['rubbish', 'rubbish', 'The token is bound to another client certificate'],
    ['an empty one', Buffer.alloc(0), 'The token is bound to another client certificate'],
  ])('%s is refused, also once the token is known', async (_name, certificate, description) => {
    let shown: unknown = CERTIFICATE;
    const protectedApp = createProtectedApp({ senderConstraint: { mtls: { getCertificate: () => shown } } }, signer);
    expect((await protectedApp.send(token)).status).toBe(200);
    shown = certificate;
    const response = await protectedApp.send(token);
    expect(response.status).toBe(401);
    expect(response.body).toEqual({ error: 'invalid_token', error_description: description });
  });

  test('a bound token is refused where mtls is not set', async () => {
    expect((await createProtectedApp({}, signer).send(token)).status).toBe(401);
  });

  test('a plain token passes unless certificates are required', async () => {
    expect((await gateWith(CERTIFICATE).send(plain)).status).toBe(200);
    const strict = gateWith(CERTIFICATE, true);
    for (const _ of [1, 2]) expect((await strict.send(plain)).status).toBe(401);
  });

  test.each([new Error('broken'), undefined, null, 0, '', false, 'route', 'router'])(
    'a getCertificate that throws %j is answered 500',
    async (thrown) => {
      const getCertificate = () => {
        throw thrown;
      };
      expect(
        (
          await createProtectedApp({ senderConstraint: { mtls: { getCertificate, required: true } } }, signer).send(
            token,
          )
        ).status,
      ).toBe(500);
    },
  );

  test('a getCertificate that returns null means no certificate', async () => {
    const response = await createProtectedApp(
      { senderConstraint: { mtls: { getCertificate: () => null } } },
      signer,
    ).send(token);
    expect(response.body.error_description).toContain('on a connection with that certificate');
  });

  test('of a real TLS connection is the one that counts', async () => {
    const getCertificate = (req: IncomingMessage) => (req.socket as TLSSocket).getPeerCertificate().raw;
    const { app } = createProtectedApp({ senderConstraint: { mtls: { getCertificate, required: true } } }, signer);
    // The certificates are self-signed: only the token decides which one is right.
    const server = createServer({ ...OTHER_CLIENT, requestCert: true, rejectUnauthorized: false }, app);
    await listen(server);
    onTestFinished(() => stop(server));
    const { port } = server.address() as AddressInfo;
    const statusWith = async (certificate: object) => {
      const headers = { authorization: `Bearer ${token}` };
      const options = { port, path: '/mcp', headers, agent: false, rejectUnauthorized: false, ...certificate };
      const [response] = (await once(get(options), 'response')) as [IncomingMessage];
      return response.resume().statusCode;
    };
    expect(await statusWith(CLIENT)).toBe(200);
    expect(await statusWith(OTHER_CLIENT)).toBe(401);
    expect(await statusWith({})).toBe(401);
  });

  test('is checked alone, whatever other claims the token has', async () => {
    const odd = signer.sign(claims({ cnf: { 'x5t#S256': thumbprint }, jti: 7 }));
    expect((await gateWith(CERTIFICATE).send(odd)).status).toBe(200);
  });

  test('the metadata announces it', async () => {
    const { body } = await gateWith(undefined).get(undefined, new URL(METADATA_URL).pathname);
    expect(body.tls_client_certificate_bound_access_tokens).toBe(true);
  });
});
