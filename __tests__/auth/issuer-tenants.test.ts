import express from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { principalOf } from '../../src/core/principal.js';
import { getAuth } from '../../src/index.js';
import { claims, createAppInEveryMode, createProtectedApp, expectInvalidToken } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const TEMPLATE = 'https://login.microsoftonline.com/{tenantid}/v2.0';
const [CONTOSO, FABRIKAM] = ['11111111-2222-3333-4444-555555555555', '99999999-8888-7777-6666-555555555555'];
const issuerOf = (tenant: string) => TEMPLATE.replace('{tenantid}', tenant);

const signer = createSigner();
const sign = (changes: Record<string, unknown>, by = signer) => by.sign(claims(changes));
const tokenOf = (tenant: string, by = signer) => sign({ iss: issuerOf(tenant), tid: tenant }, by);
const options = (tenants: unknown, keys: readonly unknown[] = [signer.jwk]) => ({
  issuer: TEMPLATE,
  tenants,
  jwks: { keys },
});

const UNKNOWN_ISSUER = 'The issuer of the token is not accepted here';
const UNKNOWN_KEY = 'The token is signed with an unknown key';

describe.each<[string, unknown, string[]]>([
  ['every tenant', '*', [CONTOSO, FABRIKAM]],
  ['one tenant', [CONTOSO], [CONTOSO]],
])('an issuer with %s', (_name, tenants, accepted) => {
  test.each([CONTOSO, FABRIKAM])('and a token of %s', async (tenant) => {
    const response = await createAppInEveryMode(options(tenants), signer).send(tokenOf(tenant));
    if (accepted.includes(tenant)) expect(response.body.payload.iss).toBe(issuerOf(tenant));
    else expectInvalidToken(response, UNKNOWN_ISSUER);
  });

  test.each<[string, Record<string, unknown>]>([
    ['without tid', { iss: issuerOf(CONTOSO) }],
    ['with the tid of another', { iss: issuerOf(CONTOSO), tid: FABRIKAM }],
    ['with a list of tids', { iss: issuerOf(CONTOSO), tid: [CONTOSO] }],
    ['with a number for a tid', { iss: issuerOf('7'), tid: 7 }],
    ['with an empty tid', { iss: issuerOf(''), tid: '' }],
    ['with the placeholder for a tid', { iss: TEMPLATE, tid: '{tenantid}' }],
    ['with a path for a tid', { iss: issuerOf('../evil'), tid: '../evil' }],
    ['with dots for a tid', { iss: issuerOf('..'), tid: '..' }],
    ['with a query for a tid', { iss: issuerOf('a?b'), tid: 'a?b' }],
    ['with a replacement pattern for a tid', { iss: issuerOf('$&'), tid: '$&' }],
    ['with a very long tid', { iss: issuerOf('a'.repeat(65)), tid: 'a'.repeat(65) }],
    ['with a line end in its tid', { iss: issuerOf(`${CONTOSO}\n`), tid: `${CONTOSO}\n` }],
    ['with a closing slash more', { iss: `${issuerOf(CONTOSO)}/`, tid: CONTOSO }],
    ['with the tenant in capitals', { iss: issuerOf('ABC'), tid: 'abc' }],
    ['of common', { iss: issuerOf('common'), tid: CONTOSO }],
    ['with an issuer that is a list', { iss: [issuerOf(CONTOSO)], tid: CONTOSO }],
    ['without an issuer', { iss: undefined, tid: CONTOSO }],
    ['of another host', { iss: issuerOf(CONTOSO).replace('microsoftonline', 'evil'), tid: CONTOSO }],
  ])('refuses a token %s, in every mode', async (_title, changes) => {
    expectInvalidToken(await createAppInEveryMode(options(tenants), signer).send(sign(changes)), UNKNOWN_ISSUER);
  });
});

describe("a key's own issuer", () => {
  const [contosoKey, anyKey] = [createSigner(), createSigner()];
  const keys = [
    { ...contosoKey.jwk, issuer: issuerOf(CONTOSO) },
    { ...anyKey.jwk, issuer: TEMPLATE },
  ];

  test.each<[string, string, ReturnType<typeof createSigner>, boolean]>([
    ['of one tenant signs for it', CONTOSO, contosoKey, true],
    ['of one tenant does not sign for another', FABRIKAM, contosoKey, false],
    ['with {tenantid} signs for every tenant', CONTOSO, anyKey, true],
    ['with {tenantid} signs for every other', FABRIKAM, anyKey, true],
  ])('%s', async (_title, tenant, key, isAccepted) => {
    const response = await createAppInEveryMode(options('*', keys), key).send(tokenOf(tenant, key));
    if (isAccepted) expect(response.status).toBe(200);
    else expectInvalidToken(response, UNKNOWN_KEY);
  });

  test('of another server does not sign', async () => {
    const jwk = { ...signer.jwk, issuer: 'https://sts.windows.net/{tenantid}/' };
    expectInvalidToken(await createAppInEveryMode(options('*', [jwk]), signer).send(tokenOf(CONTOSO)), UNKNOWN_KEY);
  });

  test('is chosen among keys of the same name, and its outcome not remembered for another tenant', async () => {
    const [own, other] = [createSigner({ kid: 'same' }), createSigner({ kid: 'same' })];
    const same = [
      { ...other.jwk, issuer: issuerOf(FABRIKAM) },
      { ...own.jwk, issuer: issuerOf(CONTOSO) },
    ];
    const { send } = createProtectedApp(options('*', same), own);
    expect((await send(tokenOf(CONTOSO, own))).status).toBe(200);
    expect((await send(tokenOf(FABRIKAM, other))).status).toBe(200);
    expectInvalidToken(await send(tokenOf(FABRIKAM, own)), 'The token has an invalid signature');
  });

  test('is of no account with one tenant: its v1 tokens have another issuer than its keys', async () => {
    const issuer = `https://sts.windows.net/${CONTOSO}/`;
    const { send } = createProtectedApp({ issuer, jwks: { keys: [{ ...signer.jwk, issuer: issuerOf(CONTOSO) }] } });
    expect((await send(sign({ iss: issuer }))).status).toBe(200);
  });
});

test('users of two tenants with one subject are two principals', async () => {
  const principals: string[] = [];
  const app = express();
  const { auth } = createProtectedApp(options('*'), signer);
  app.use(auth, (req, res) => {
    principals.push(principalOf(req, getAuth(req)));
    res.end();
  });
  for (const tenant of [CONTOSO, FABRIKAM, CONTOSO])
    await request(app).get('/').auth(tokenOf(tenant), { type: 'bearer' });
  expect(new Set(principals).size).toBe(2);
});

test('the metadata leaves out an issuer of many tenants, which has no address', async () => {
  const { get } = createProtectedApp(options('*'), signer);
  const { body } = await get(undefined, '/.well-known/oauth-protected-resource/mcp');
  expect(body).not.toHaveProperty('authorization_servers');
});
