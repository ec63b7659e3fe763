import { afterEach, describe, expect, test, vi } from 'vitest';
import { expectUnavailable, MINUTE, passTime, signer } from '../support/app-with-key-server.js';
import { type Answer, named, OPENID, RFC8414, startIssuer } from '../support/issuer-documents.js';
import { startOidcServer } from '../support/oidc-server.js';
import { claims, createProtectedApp, RESOURCE } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner } from '../support/signer.js';

afterEach(() => void vi.useRealTimers());

const KEYS = { keys: [signer.jwk] };
const OTHER_KEYS = { keys: [createSigner({ kid: signer.kid }).jwk] };
const WELL_KNOWN = '/.well-known/jwks.json';

describe('without jwks', () => {
  test.each<[string, (issuer: string) => Record<string, Answer>]>([
    ['RFC 8414', (issuer) => ({ [RFC8414]: named(issuer), '/jwks': KEYS, [WELL_KNOWN]: OTHER_KEYS })],
    ['OpenID Connect Discovery', (issuer) => ({ [OPENID]: named(issuer), '/jwks': KEYS, [WELL_KNOWN]: OTHER_KEYS })],
    ['the first of both', (issuer) => ({ [RFC8414]: named(issuer), [OPENID]: named(issuer, '/x'), '/jwks': KEYS })],
    [
      'the second, if the first has no jwks_uri',
      (issuer) => ({ [RFC8414]: { issuer }, [OPENID]: named(issuer), '/jwks': KEYS }),
    ],
    [
      'the second, if the first is of another issuer',
      (issuer) => ({ [RFC8414]: named(`${issuer}/`, '/x'), [OPENID]: named(issuer), '/jwks': KEYS }),
    ],
    ['the second, if the first fails', (issuer) => ({ [RFC8414]: 500, [OPENID]: named(issuer), '/jwks': KEYS })],
    ...[400, 401, 403, 404, 410, 302].map((status): [string, () => Record<string, Answer>] => [
      `/.well-known/jwks.json, if both answer ${status}`,
      () => ({ [RFC8414]: status, [OPENID]: status, [WELL_KNOWN]: KEYS }),
    ]),
    ...['<!doctype html>', '', '[]', '"text"', 'x'.repeat(300_000)].map(
      (page): [string, () => Record<string, Answer>] => [
        `/.well-known/jwks.json, if both answer with ${page.slice(0, 20)}`,
        () => ({ [RFC8414]: page, [OPENID]: page, [WELL_KNOWN]: KEYS }),
      ],
    ),
  ])('finds the keys by %s', async (_name, answers) => {
    const { protectedApp, token } = await startIssuer(answers);
    expect((await protectedApp.send(token())).status).toBe(200);
  });

  test('finds the keys of an issuer with a path, at each of the three places', async () => {
    for (const place of [`${RFC8414}/tenant`, `${OPENID}/tenant`, `/tenant${OPENID}`]) {
      const { protectedApp, token } = await startIssuer(
        (issuer) => ({ [place]: named(issuer), '/jwks': KEYS, [`/tenant${WELL_KNOWN}`]: OTHER_KEYS }),
        '/tenant',
      );
      expect((await protectedApp.send(token())).status, place).toBe(200);
    }
    const { protectedApp, token, lines, issuer } = await startIssuer(
      () => ({ [`/tenant${WELL_KNOWN}`]: KEYS }),
      '/tenant',
    );
    expect((await protectedApp.send(token())).status).toBe(200);
    const { origin } = new URL(issuer);
    expect(lines).toEqual([
      `info key set of ${issuer}: ${issuer}${WELL_KNOWN}, since there is no metadata at ${origin}${RFC8414}/tenant, ${origin}${OPENID}/tenant, ${issuer}${OPENID}`,
    ]);
  });

  test.each<[string, Answer]>([
    ['answers 408', 408],
    ['answers 429', 429],
    ['answers 500', 500],
    ['answers 503', 503],
    ['does not answer', (res) => void res.socket?.destroy()],
    [
      'stops in the middle',
      (res) => void res.writeHead(200, { 'content-length': '100' }).write('{', () => res.socket?.destroy()),
    ],
  ])('is 503, and not sought elsewhere, if the metadata %s', async (_name, answer) => {
    const { protectedApp, token, asked } = await startIssuer(() => ({
      [RFC8414]: answer,
      [OPENID]: 404,
      [WELL_KNOWN]: KEYS,
    }));
    await expectUnavailable(protectedApp, token());
    expect(asked).not.toContain(WELL_KNOWN);
  });

  test.each<[string, (issuer: string) => Answer, RegExp]>([
    ['is of another issuer', (issuer) => named(`${issuer}/`), /its "issuer" is not http/],
    ['has no jwks_uri', (issuer) => ({ issuer }), /it has no "jwks_uri"/],
    [
      'has a jwks_uri that is no text',
      (issuer) => ({ issuer, jwks_uri: [issuer] }),
      /its "jwks_uri" is not an https URL/,
    ],
    ['has a jwks_uri of another scheme', (issuer) => ({ issuer, jwks_uri: 'file:///etc/passwd' }), /not an https URL/],
    ['has a jwks_uri over plain http', (issuer) => ({ issuer, jwks_uri: 'http://a.example/' }), /not an https URL/],
    [
      'has a jwks_uri with a password',
      (issuer) => ({ issuer, jwks_uri: 'https://u:p@a.example/' }),
      /not an https URL/,
    ],
  ])('is 503 with a line in the log if the metadata %s', async (_name, answer, line) => {
    const { protectedApp, token, asked, lines } = await startIssuer((issuer) => ({
      [RFC8414]: answer(issuer),
      [WELL_KNOWN]: KEYS,
    }));
    await expectUnavailable(protectedApp, token());
    const [error = '', ...others] = lines.filter((each) => each.startsWith('error key set of'));
    expect(error).toMatch(line);
    expect(error).toMatch(/: correct it, or set jwks: \{ url: … \} to the address of its keys$/);
    expect([...others, ...asked.filter((path) => path === WELL_KNOWN)]).toEqual([]);
  });

  test('asks nothing before the first token, and once for many at once', async () => {
    const { protectedApp, token, asked, lines, issuer } = await startIssuer((issuer) => ({
      [OPENID]: named(issuer),
      '/jwks': KEYS,
    }));
    await protectedApp.get();
    expect(asked).toEqual([]);
    const answers = await Promise.all(Array.from({ length: 20 }, () => protectedApp.send(token())));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(asked).toEqual([RFC8414, OPENID, '/jwks']);
    expect(lines.filter((line) => line.startsWith('info'))).toEqual([
      `info key set of ${issuer}: ${issuer}/jwks, as ${issuer}${OPENID} says`,
    ]);
  });

  test('a flood of unknown keys asks for keys once, and for metadata not at all', async () => {
    const { protectedApp, token, asked } = await startIssuer((issuer) => ({ [RFC8414]: named(issuer), '/jwks': KEYS }));
    await protectedApp.send(token());
    const forged = Array.from({ length: 30 }, () => createSigner().sign(claims({ iss: new URL(RESOURCE).origin })));
    await Promise.all(forged.map((each) => protectedApp.send(each)));
    const unknown = Array.from({ length: 30 }, (_, i) => token().replace(/^[^.]+/, headerWith(`k${i}`)));
    const answers = await Promise.all(unknown.map((each) => protectedApp.send(each)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(asked).toEqual([RFC8414, '/jwks', '/jwks']);
  });

  test('follows the metadata to another place, once the document is old', async () => {
    const { protectedApp, token, answer, asked } = await startIssuer((issuer) => ({
      [RFC8414]: named(issuer),
      '/jwks': KEYS,
    }));
    await protectedApp.send(token());
    answer((issuer) => ({ [RFC8414]: named(issuer, '/new'), '/new': KEYS }));
    passTime(61 * MINUTE);
    expect((await protectedApp.send(token())).status).toBe(200);
    expect(asked.at(-1)).toBe('/new');
  });

  test('goes on with known keys for a day while the metadata is away', async () => {
    const { protectedApp, token, answer } = await startIssuer((issuer) => ({
      [RFC8414]: named(issuer),
      '/jwks': KEYS,
    }));
    await protectedApp.send(token());
    answer(() => ({ [RFC8414]: 500, [OPENID]: 500, [WELL_KNOWN]: OTHER_KEYS }));
    passTime(23 * 60 * MINUTE);
    expect((await protectedApp.send(token())).status).toBe(200);
    passTime(2 * 60 * MINUTE);
    await expectUnavailable(protectedApp, token());
  });

  test.each([404, 403, 302])(
    'a server that starts, and answers %d for everything until then, is asked again soon',
    async (status) => {
      const { protectedApp, token, answer } = await startIssuer(() => ({
        [RFC8414]: status,
        [OPENID]: status,
        [WELL_KNOWN]: status,
      }));
      await expectUnavailable(protectedApp, token());
      answer((issuer) => ({ [RFC8414]: named(issuer), '/jwks': KEYS }));
      passTime(1_001);
      expect((await protectedApp.send(token())).status).toBe(200);
    },
  );

  test('a server that comes back is asked again soon', async () => {
    const { protectedApp, token, answer } = await startIssuer(() => ({ [RFC8414]: 500 }));
    await expectUnavailable(protectedApp, token());
    answer((issuer) => ({ [RFC8414]: named(issuer), '/jwks': KEYS }));
    passTime(1_001);
    expect((await protectedApp.send(token())).status).toBe(200);
  });
});

test.each<[string, Record<string, unknown>, string[]]>([
  ['explicit keys', { jwks: KEYS }, []],
  ['a provider', { provider: 'keycloak' }, ['/protocol/openid-connect/certs']],
])('no metadata is asked for with %s', async (_name, options, expected) => {
  const { open, token, asked } = await startIssuer(() => ({ '/protocol/openid-connect/certs': KEYS, [RFC8414]: 500 }));
  expect((await open(options).send(token())).status).toBe(200);
  expect(asked).toEqual(expected);
});

test('provider "standard" finds the keys by the metadata', async () => {
  const { open, token, asked } = await startIssuer((issuer) => ({ [RFC8414]: named(issuer), '/jwks': KEYS }));
  expect((await open({ provider: 'standard' }).send(token())).status).toBe(200);
  expect(asked).toEqual([RFC8414, '/jwks']);
});

test('for oidc-provider, the issuer is enough: its keys are at /jwks', async () => {
  const issuer = await startOidcServer(() => RESOURCE);
  const { lines, logger } = createRecordingLogger();
  const { send } = createProtectedApp({ issuer, jwks: undefined, logger });
  // Signed with another key under its kid: the answer shows that the key was found.
  const response = await send(createSigner({ kid: 'a', alg: 'RS256' }).sign(claims({ iss: issuer })));
  expect(response.body.error_description).toBe('The token has an invalid signature');
  expect(lines[0]).toBe(`info key set of ${issuer}: ${issuer}/jwks, as ${issuer}${RFC8414} says`);
});

function headerWith(kid: string): string {
  return Buffer.from(JSON.stringify({ alg: 'ES256', kid, typ: 'JWT' })).toString('base64url');
}
