import { expect, test } from 'vitest';
import { claims, createAppInEveryMode } from '../support/protected-app.js';
import { assemble, createSigner, signatureOf } from '../support/signer.js';

test.each(['ES256', 'ES384', 'ES512'])(
  '%s: a number that begins with zeros is as good',
  async (alg) => {
    const signer = createSigner({ alg });
    const protectedApp = createAppInEveryMode({}, signer);
    const header = { alg, kid: signer.kid };
    // 521 bits leave seven zero bits at the start of every number.
    const zeros = alg === 'ES512' ? 2 : 1;
    let token: string;
    let signature: Buffer;
    do {
      token = assemble(header, claims({ jti: Math.random().toString() }), signatureOf(alg, signer.privateKey));
      signature = Buffer.from(token.split('.')[2] as string, 'base64url');
    } while (signature.subarray(0, zeros).some((byte) => byte !== 0));
    expect((await protectedApp.send(token)).status).toBe(200);
  },
  60_000,
);
