import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { claims, createAppInEveryMode, expectInvalidToken, ISSUER, RESOURCE } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();
const now = Math.floor(Date.now() / 1000);

// The tests may take longer than the tolerance.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: now * 1_000 }));
afterEach(() => void vi.useRealTimers());

const EXPIRED = 'The token has expired';
const NOT_YET = 'The token is not valid yet';
const AUDIENCE = 'The token is meant for another audience';
const MISSING = 'The token lacks a required claim';
const TYPE = 'The token has a claim of the wrong type';
const ISSUER_UNKNOWN = 'The issuer of the token is not accepted here';
const NOT_ACCESS = 'The token is not an access token';

/** The description of the refusal; `undefined` if the token is accepted. */
type Row = [name: string, changes: Record<string, unknown>, refusal: string | undefined];

const rows: Row[] = [
  ['exp a minute ago', { exp: now - 60 }, EXPIRED],
  ['exp within the tolerance', { exp: now - 10 }, undefined],
  ['exp negative', { exp: -1 }, EXPIRED],
  ['exp zero', { exp: 0 }, EXPIRED],
  ['exp a string', { exp: String(now + 60) }, TYPE],
  ['exp null', { exp: null }, TYPE],
  ['exp missing', { exp: undefined }, MISSING],
  ['exp a list', { exp: [now + 60] }, TYPE],
  ['exp with a fraction', { exp: now + 60.5 }, undefined],
  ['nbf in a minute', { nbf: now + 60 }, NOT_YET],
  ['nbf within the tolerance', { nbf: now + 10 }, undefined],
  ['nbf a string', { nbf: '0' }, TYPE],
  ['iat a string', { iat: 'today' }, TYPE],
  ['iat in the future, which says nothing of validity', { iat: now + 60 }, undefined],
  ['iss with a slash more', { iss: `${ISSUER}/` }, ISSUER_UNKNOWN],
  ['iss a list', { iss: [ISSUER] }, ISSUER_UNKNOWN],
  ['iss missing', { iss: undefined }, ISSUER_UNKNOWN],
  ['iss in upper case', { iss: ISSUER.toUpperCase() }, ISSUER_UNKNOWN],
  ['aud a list with ours in it', { aud: ['other', RESOURCE] }, undefined],
  ['aud with a slash more', { aud: `${RESOURCE}/` }, undefined],
  ['aud with two slashes more', { aud: `${RESOURCE}//` }, AUDIENCE],
  ['aud that begins like ours', { aud: `${RESOURCE}-evil` }, AUDIENCE],
  ['aud that ours begins with', { aud: 'https://mcp.example' }, AUDIENCE],
  ['aud an empty list', { aud: [] }, AUDIENCE],
  ['aud an empty string', { aud: '' }, AUDIENCE],
  ['aud missing', { aud: undefined }, AUDIENCE],
  ['aud an object', { aud: { [RESOURCE]: true } }, TYPE],
  ['aud a list with a number in it', { aud: [RESOURCE, 1] }, TYPE],
  ['aud null', { aud: null }, TYPE],
  ['sub a number', { sub: 7 }, TYPE],
  ['client_id a list', { client_id: ['a'] }, TYPE],
  ['scope a number', { scope: 7 }, TYPE],
  ['scope a list with a number in it', { scope: ['a', 7] }, TYPE],
  ['nonce, as in an ID token', { nonce: 'n' }, NOT_ACCESS],
];

test.each(rows)('%s', async (_name, changes, refusal) => {
  await expectVerdict({}, changes, {}, refusal);
});

test('exp of 1e400, which is infinite', async () => {
  const payload = JSON.stringify(claims({ exp: 0 })).replace('"exp":0', '"exp":1e400');
  expectInvalidToken(await createAppInEveryMode({}, signer).send(signer.sign(payload)), TYPE);
});

describe('the type of a token', () => {
  test.each<[unknown, string | undefined]>([
    ['JWT', undefined],
    ['jwt', undefined],
    ['at+jwt', undefined],
    ['AT+JWT', undefined],
    ['application/at+jwt', undefined],
    [undefined, undefined],
    ['dpop+jwt', NOT_ACCESS],
    ['logout+jwt', NOT_ACCESS],
    ['id_token', NOT_ACCESS],
    ['JOSE', NOT_ACCESS],
    ['', NOT_ACCESS],
    [7, NOT_ACCESS],
  ])('typ %j', async (typ, refusal) => {
    await expectVerdict({}, {}, { typ }, refusal);
  });

  test('a nonce in a token that declares itself an access token', async () => {
    await expectVerdict({}, { nonce: 'n' }, { typ: 'at+jwt' }, undefined);
  });
});

describe('options', () => {
  test('clockToleranceSeconds', async () => {
    await expectVerdict({ clockToleranceSeconds: 0 }, { exp: now - 1 }, {}, EXPIRED);
    await expectVerdict({ clockToleranceSeconds: 120 }, { exp: now - 60 }, {}, undefined);
  });

  test('audienceClaim, for servers whose tokens have no aud', async () => {
    const options = { audienceClaim: 'client_id', audiences: ['app'] };
    await expectVerdict(options, { aud: undefined, client_id: 'app' }, {}, undefined);
    await expectVerdict(options, { aud: 'app', client_id: 'other' }, {}, AUDIENCE);
    await expectVerdict(options, { aud: 'app' }, {}, AUDIENCE);
    await expectVerdict(options, { aud: undefined, client_id: 'app/' }, {}, AUDIENCE);
  });

  test('requiredClaims of any name', async () => {
    const options = { jwtValidationOptions: { requiredClaims: ['exp', 'tenant'] } };
    await expectVerdict(options, { tenant: 'acme' }, {}, undefined);
    await expectVerdict(options, { tenant: 0 }, {}, undefined);
    await expectVerdict(options, {}, {}, MISSING);
    await expectVerdict(options, { tenant: null }, {}, MISSING);
    await expectVerdict({ jwtValidationOptions: { requiredClaims: ['toString'] } }, {}, {}, MISSING);
  });

  test('requiredClaims without exp: a token without exp passes, an expired one does not', async () => {
    const options = { jwtValidationOptions: { requiredClaims: [] } };
    await expectVerdict(options, { exp: undefined }, {}, undefined);
    await expectVerdict(options, { exp: 1 }, {}, EXPIRED);
  });
});

describe('what the application sees', () => {
  test.each<[name: string, changes: Record<string, unknown>, scopes: string[]]>([
    ['scope as a string', { scope: 'read  write' }, ['read', 'write']],
    ['scope as a list', { scope: ['read', 'write'] }, ['read', 'write']],
    ['scp as a string', { scp: 'read' }, ['read']],
    ['scp as a list', { scp: ['read'] }, ['read']],
    ['both, each scope once', { scope: 'read write', scp: ['write', 'admin'] }, ['read', 'write', 'admin']],
    ['the configured claim too', { scope: 'read', roles: ['boss'] }, ['read', 'boss']],
    ['none', {}, []],
  ])('scopes from %s', async (_name, changes, scopes) => {
    const response = await createAppInEveryMode({ scopesClaim: 'roles' }, signer).send(signer.sign(claims(changes)));
    expect(response.body.scopes).toEqual(scopes);
  });

  test.each([
    [{ client_id: 'a', azp: 'b', cid: 'c', appid: 'd' }, 'a'],
    [{ azp: 'b', cid: 'c', appid: 'd' }, 'b'],
    [{ cid: 'c', appid: 'd' }, 'c'],
    [{ appid: 'd' }, 'd'],
    [{ appid: 42 }, ''],
    [{ azp: 'b', appid: 42 }, 'b'],
    [{}, ''],
  ])('clientId from %j', async (changes, clientId) => {
    const response = await createAppInEveryMode({}, signer).send(signer.sign(claims(changes)));
    expect(response.body.clientId).toBe(clientId);
  });

  test("the rest of the SDK's AuthInfo, with header and payload", async () => {
    const payload = claims();
    const response = await createAppInEveryMode({}, signer).send(signer.sign(payload));
    expect(response.body).toEqual({
      anonymous: false,
      authorization: expect.stringMatching(/^Bearer /),
      credentials: expect.any(Array),
      clientId: '',
      subject: 'alice',
      scopes: [],
      expiresAt: payload.exp,
      resource: RESOURCE,
      extra: payload,
      header: { alg: 'ES256', kid: signer.kid, typ: 'JWT' },
      payload,
    });
  });
});

async function expectVerdict(
  options: Record<string, unknown>,
  changes: Record<string, unknown>,
  header: Record<string, unknown>,
  refusal: string | undefined,
): Promise<void> {
  const response = await createAppInEveryMode(options, signer).send(signer.sign(claims(changes), header));
  if (refusal === undefined) expect(response.status).toBe(200);
  else expectInvalidToken(response, refusal);
}
