import { expect, test } from 'vitest';
import { checkClientIds } from '../../src/doctor/client-ids.js';
import { diagnose } from '../../src/doctor/doctor.js';
import { createProbe } from '../../src/doctor/probe.js';
import { resolveAuth } from '../../src/policy/resolve-auth.js';
import { expectComplaints, lineOf, startFaultyServer } from '../support/faulty-server.js';
import { SECRET, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';

const REGISTRATION = { registration_endpoint: 'https://auth.example/register' };
const DOCUMENTS = { client_id_metadata_document_supported: true };
const NONE = { token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'] };
const CLAUDE =
  '! client documents: client_id_metadata_document_supported is true, but token_endpoint_auth_methods_supported does not list "none". Claude then uses no document: it registers, or asks for a client id. Announce "none", and let clients with a document be public.';

test.each<[what: string, metadata: object, typedIn: number | undefined, ...lines: string[]]>([
  ['registration', REGISTRATION, undefined, '✓ client ids: by registration'],
  [
    'documents and registration',
    { ...REGISTRATION, ...DOCUMENTS, ...NONE },
    0,
    '✓ client ids: by document (Claude, ChatGPT and VS Code), by registration',
  ],
  [
    'all three',
    { ...REGISTRATION, ...DOCUMENTS, ...NONE },
    2,
    '✓ client ids: typed in by hand (2), by document (Claude, ChatGPT and VS Code), by registration',
  ],
  [
    'documents alone',
    { ...DOCUMENTS, ...NONE },
    undefined,
    '! client ids: by document, without a registration endpoint. Clients without a document need a client id from you, and many cannot be given one. Claude, ChatGPT and VS Code have a document. Let clients register too (oauthProxy.registration), unless only clients with a document may log in.',
  ],
  [
    'ids typed in by hand alone',
    { client_id_metadata_document_supported: false },
    1,
    '! client ids: typed in by hand (1), with neither a registration endpoint nor client ID metadata documents. Clients that cannot be given a client id give up. Switch on oauthProxy.registration or oauthProxy.clientDocuments, unless only these clients may log in.',
  ],
  [
    'none that is known',
    {},
    undefined,
    '! client ids: neither a registration endpoint nor client ID metadata documents. Clients need a client id from you: Claude and VS Code ask for one, others give up. Set provider and clientId: the OAuth proxy then answers registrations, and accepts metadata documents. If this is the OAuth proxy, give clients an id in oauthProxy.clients, or switch one of the two on.',
  ],
  [
    'documents, but no public clients',
    { ...REGISTRATION, ...DOCUMENTS, token_endpoint_auth_methods_supported: ['private_key_jwt'] },
    undefined,
    '✓ client ids: by document (Claude, ChatGPT and VS Code), by registration',
    CLAUDE,
  ],
  [
    'documents, and nothing about public clients',
    { ...REGISTRATION, ...DOCUMENTS },
    undefined,
    '✓ client ids: by document (Claude, ChatGPT and VS Code), by registration',
    CLAUDE,
  ],
  [
    'documents, announced with a text',
    { ...REGISTRATION, ...NONE, client_id_metadata_document_supported: 'true' },
    undefined,
    '✓ client ids: by registration',
    '! client documents: client_id_metadata_document_supported is "true". Clients read it as false. Make it the JSON value true, or leave it out.',
  ],
])('the doctor says that a server offers %s', (_what, metadata, typedIn, ...lines) => {
  const findings = checkClientIds(metadata as Record<string, unknown>, typedIn);
  expect(findings.map((finding) => lineOf(finding as Parameters<typeof lineOf>[0]))).toEqual(lines);
});

test('the doctor prints the ways of a server that does everything right', async () => {
  const { walk } = await startFaultyServer({ metadata: () => ({ ...DOCUMENTS, ...NONE }) });
  const lines = (await walk()).filter(({ step }) => step.startsWith('client ')).map(lineOf);
  expect(lines).toEqual(['✓ client ids: by document (Claude, ChatGPT and VS Code), by registration']);
});

test('the doctor complains of a server where clients cannot get an id by themselves, or ignore that they could', async () => {
  await expectComplaints(
    { metadata: () => ({ registration_endpoint: undefined, client_id_metadata_document_supported: true }) },
    [
      '! client ids: by document, without a registration endpoint',
      '! client documents: client_id_metadata_document_supported is true, but token_endpoint_auth_methods_supported does not list "none"',
    ],
  );
});

test('with the file, the doctor counts the ids that the OAuth proxy has for typing in', async () => {
  const clients = { 'my-id': { redirectUris: ['https://claude.ai/api/mcp/auth_callback'] } };
  const oauthProxy = { secret: SECRET, clients };
  const { guarded, upstream } = await startOAuthProxyFlow('auth0', 'auth0', { oauthProxy });
  const url = guarded.resource;
  const given = { issuer: upstream.issuer, provider: 'auth0', oauthProxy, resourceMetadata: { resource: url } };
  const policy = resolveAuth('mcpAuth()', given as never);
  const lines: string[] = [];
  for await (const finding of diagnose({ url, policy }, createProbe(url))) {
    if (finding.step === 'client ids') lines.push(lineOf(finding));
  }
  expect(lines).toEqual([
    '✓ client ids: typed in by hand (1), by document (Claude, ChatGPT and VS Code), by registration',
  ]);
});
