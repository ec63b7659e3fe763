import { describe, expect, test } from 'vitest';
import { postJson, REDIRECT_URI, rawClient } from '../support/oauth-proxy-client.js';
import { SECRET, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import type { BehaviourName } from '../support/provider-behaviours.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const redirectUris = [REDIRECT_URI];
const NO_DOCUMENTS = { clientDocuments: { enabled: false } };
const PUBLIC = { clients: { n8n: { redirectUris } } };
const CONFIDENTIAL = { clients: { n8n: { redirectUris, secret: SECRET } } };
const NO_REGISTRATION = { registration: false };
const SECRETS = ['client_secret_basic', 'client_secret_post'];

const start = (name: BehaviourName, oauthProxy: object, more: object = {}) =>
  startOAuthProxyFlow(name, undefined, { oauthProxy: { secret: SECRET, ...oauthProxy }, ...more });

async function metadataAt(url: string): Promise<Record<string, unknown>> {
  return (await fetch(url)).json() as Promise<Record<string, unknown>>;
}

describe('the metadata announces only what works', () => {
  const EVERY = [...SECRETS, 'private_key_jwt'];
  const OKTA_ALONE = { clientId: undefined };
  test.each<[BehaviourName, string, object, object, { documents: boolean; registers: boolean; methods: string[] }]>([
    ['keycloak', 'no options', {}, {}, { documents: true, registers: true, methods: EVERY }],
    ['keycloak', 'no documents', NO_DOCUMENTS, {}, { documents: false, registers: true, methods: SECRETS }],
    ['keycloak', 'no registration', NO_REGISTRATION, {}, { documents: true, registers: false, methods: EVERY }],
    ['entra', 'no options', {}, {}, { documents: true, registers: true, methods: ['private_key_jwt'] }],
    ['entra', 'no documents', NO_DOCUMENTS, {}, { documents: false, registers: true, methods: [] }],
    [
      'entra',
      'a public client',
      { ...NO_DOCUMENTS, ...PUBLIC },
      {},
      { documents: false, registers: true, methods: [] },
    ],
    [
      'entra',
      'a client with a secret',
      { ...NO_DOCUMENTS, ...CONFIDENTIAL },
      {},
      { documents: false, registers: true, methods: SECRETS },
    ],
    [
      'entra',
      'all but registration',
      { ...CONFIDENTIAL, ...NO_REGISTRATION },
      {},
      { documents: true, registers: false, methods: EVERY },
    ],
    // Its registration needs credentials of the client, and a document has none.
    ['okta', 'no clientId', {}, OKTA_ALONE, { documents: false, registers: true, methods: SECRETS }],
    ['okta', 'a clientId', {}, {}, { documents: true, registers: true, methods: ['private_key_jwt'] }],
  ])('%s, %s', async (name, _what, oauthProxy, more, { documents, registers, methods }) => {
    const { base, guarded } = await start(name, oauthProxy, more);
    for (const url of [base, `${guarded.origin}/.well-known/oauth-authorization-server`]) {
      const metadata = await metadataAt(url);
      expect(metadata.client_id_metadata_document_supported).toBe(documents ? true : undefined);
      expect(metadata.registration_endpoint !== undefined).toBe(registers);
      expect(metadata.token_endpoint_auth_methods_supported).toEqual(['none', ...methods]);
      expect(metadata.token_endpoint_auth_signing_alg_values_supported !== undefined).toBe(documents);
      if (metadata.revocation_endpoint === undefined) continue;
      expect(metadata.revocation_endpoint_auth_methods_supported).toEqual(['none', ...methods]);
    }
  });
});

describe('registration: false', () => {
  test.each(['/client-registration', '@/client-registration', '@@/register'])('%s answers 403', async (path) => {
    const { logger, lines } = createRecordingLogger();
    const flow = await start('keycloak', { registration: false, legacyEndpoints: true }, { logger });
    const url = path.startsWith('/')
      ? `${flow.base}${path}`
      : path
          .replace('@@', flow.guarded.origin)
          .replace('@', `${flow.guarded.origin}/.well-known/oauth-authorization-server`);
    expect(await postJson(url, { redirect_uris: redirectUris })).toMatchObject({
      status: 403,
      body: {
        error: 'access_denied',
        error_description:
          'This server registers no clients: its operator must give you a client id, unless its metadata announces client metadata documents',
      },
    });
    expect(flow.upstream.registrations).toEqual([]);
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual([
      'warn OAuth proxy: registration of a client without a name refused by this server: This server registers no clients: ' +
        'its operator must give you a client id, unless its metadata announces client metadata documents; ' +
        'give the client an id in oauthProxy.clients, or set oauthProxy.registration to true',
    ]);
  });

  test('clients that have registered before stay', async () => {
    const flow = await start('entra', { registration: false });
    const client = { upstreamId: 'app-id', redirectUris, name: 'Early', scopes: undefined };
    const parameters = await rawClient(flow.base, flow.seal.close('client', client)).logIn({ scope: 'mcp.read' });
    expect(parameters.has('code')).toBe(true);
  });
});

describe('clientDocuments.enabled: false', () => {
  test('a client id that is a URL is refused without a call, and the log says what to change', async () => {
    const { logger, lines } = createRecordingLogger();
    const flow = await start('keycloak', NO_DOCUMENTS, { logger });
    const client = rawClient(flow.base, 'https://127.0.0.1:1/client.json');
    const { response, html } = await client.authorize();
    expect(response.status).toBe(400);
    expect(html).toContain('A client_id that is a URL is not accepted here');
    expect(await client.token({ code: 'c' })).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(lines[0]).toBe(
      'warn OAuth proxy: login of the client "127.0.0.1:1" refused by this server: A client_id that is a URL is not ' +
        'accepted here; to accept it, set oauthProxy.clientDocuments.enabled to true',
    );
  });
});
