import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTokenVerifier } from '../../src/auth/token/token-verifier.js';
import type { McpAuthOptions } from '../../src/index.js';
import { resolveAuth } from '../../src/policy/resolve-auth.js';
import { serve } from '../support/loopback-server.js';
import { claims, createProtectedApp, ISSUER, RESOURCE } from '../support/protected-app.js';
import { createSigner, type Signer } from '../support/signer.js';

const signers = ['RS256', 'PS256', 'ES256', 'EdDSA'].map((alg) => createSigner({ alg }));
const policy: McpAuthOptions = {
  issuer: ISSUER,
  jwks: { keys: signers.map(({ jwk }) => jwk) },
  resourceMetadata: { resource: RESOURCE },
};
const verifier = createTokenVerifier(resolveAuth('test', policy));
const other = signers.map((signer) => signer.sign(claims({ sub: 'bob', scope: 'admin' })));

const segments = (token: string) => token.split('.') as [string, string, string];
const encode = (text: string) => Buffer.from(text).toString('base64url');
const decode = (segment: string) => Buffer.from(segment, 'base64url').toString();
const flipBit = (text: string, at: number, bit: number) => {
  const bytes = Buffer.from(text);
  const index = at % bytes.length;
  bytes[index] = (bytes[index] as number) ^ (1 << bit);
  return bytes.toString('latin1');
};

/** Every way in which a token is changed. */
const mutation = fc.oneof(
  fc.record({ at: fc.nat(5000), bit: fc.nat(7) }).map(
    ({ at, bit }) =>
      (token: string) =>
        flipBit(token, at, bit),
  ),
  fc.nat(5000).map((at) => (token: string) => token.slice(0, at % token.length)),
  fc.nat(5000).map((at) => (token: string) => token.slice(at % token.length || 1)),
  fc.record({ segment: fc.nat(2), from: fc.nat(3) }).map(({ segment, from }) => (token: string) => {
    const swapped = segments(token);
    swapped[segment] = segments(other[from] as string)[segment] as string;
    return swapped.join('.');
  }),
  fc
    .constantFrom(
      ...[
        [1, 0, 2],
        [0, 2, 1],
        [2, 1, 0],
        [0, 0, 2],
        [0, 1, 1],
      ],
    )
    .map((order) => (token: string) => {
      const parts = segments(token);
      return order.map((index) => parts[index as 0 | 1 | 2]).join('.');
    }),
  // The same JSON in other bytes: white space, escapes, another order.
  fc.constantFrom(0, 1).chain((segment) =>
    fc
      .constantFrom(
        (json: string) => ` ${json}`,
        (json: string) => JSON.stringify(JSON.parse(json), null, 1),
        (json: string) => json.replace(/:/g, ': '),
        (json: string) => json.replace(/"(\w)/, (_m, letter: string) => `"\\u00${letter.charCodeAt(0).toString(16)}`),
        (json: string) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(json)).reverse())),
        (json: string) => json.replace('{', '{"exp":9999999999,'),
      )
      .map((rewrite) => (token: string) => {
        const parts = segments(token);
        parts[segment] = encode(rewrite(decode(parts[segment] as string)));
        return parts.join('.');
      }),
  ),
  fc.constantFrom('=', '==', '\n', ' ', '\u0000', '.', '%00', 'A').map((tail) => (token: string) => token + tail),
  fc.string().map((text) => (token: string) => text + token),
);

test('no mutation of a valid token passes', async () => {
  const property = fc.asyncProperty(fc.constantFrom<Signer[]>(...signers), mutation, async (signer, mutate) => {
    const token = signer.sign(claims({ scope: 'read' }));
    await expect(verifier.verify(token), 'the token itself is good').resolves.toMatchObject({
      auth: { scopes: ['read'] },
    });
    const mutated = mutate(token);
    if (mutated === token) return;
    expect(verifier.recall(mutated)).toBeUndefined();
    await expect(verifier.verify(mutated)).rejects.toMatchObject({ name: 'AuthError' });
  });
  await fc.assert(property, { numRuns: 2_000 });
});

test('no mutation passes over HTTP, in any mode', async () => {
  const origins = await Promise.all(
    (['strict', 'optional', 'permissive'] as const).map((mode) => serve(createProtectedApp({ ...policy, mode }).app)),
  );
  const send = async (origin: string, token: string) => {
    const response = await fetch(`${origin}/mcp`, { headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, anonymous: ((await response.json()) as { anonymous?: boolean }).anonymous };
  };
  const property = fc.asyncProperty(fc.constantFrom<Signer[]>(...signers), mutation, async (signer, mutate) => {
    const token = signer.sign(claims());
    const mutated = mutate(token);
    // White space around a token is not part of it, and some mutations cannot be sent in a header.
    fc.pre(mutated.trim() !== token && /^[\x20-\x7e]*$/.test(mutated));
    const [strict, optional, permissive] = await Promise.all(origins.map((origin) => send(origin, mutated)));
    expect([400, 401]).toContain(strict?.status);
    expect([400, 401]).toContain(mutated.trim() === '' ? strict?.status : optional?.status);
    expect(permissive).toEqual({ status: 200, anonymous: true });
  });
  await fc.assert(property, { numRuns: 500 });
});
