import { describe, expect, test } from 'vitest';
import { type McpAuthOptions, mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { ISSUER, RESOURCE } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const RESOURCE_FIX = 'Write the address that clients use, for example "https://mcp.example.com/mcp".';
const PROOFS = 'since a proof is checked against it and not against the Host header';

const signer = createSigner();
const policyWith = (members: object, more: object = {}) =>
  ({
    issuer: ISSUER,
    audiences: [RESOURCE],
    jwks: { keys: [signer.jwk] },
    resourceMetadata: { resource: RESOURCE, ...members },
    ...more,
  }) as McpAuthOptions;

function expectRefused(options: McpAuthOptions, message: string): void {
  expect(() => mcpAuth(options)).toThrow(`mcpAuth(): option ${message}`);
  expect(() => protectedResourceMetadata({ ...options })).toThrow(`protectedResourceMetadata(): option ${message}`);
}

describe('a member that is named like an option is announced and does nothing, so it is refused:', () => {
  test.each<[member: string, option: string]>([
    ['requiredScopes', 'requiredScopes'],
    ['requiredScope', 'requiredScopes'],
    ['requiredscopes', 'requiredScopes'],
    ['requireScopes', 'requiredScopes'],
    ['audiences', 'audiences'],
    ['audience', 'audiences'],
    ['mode', 'mode'],
    ['senderConstraint', 'senderConstraint'],
    ['issuer', 'issuer'],
    ['issuers', 'issuers'],
    ['jwks', 'jwks'],
    ['provider', 'provider'],
    ['oauthProxy', 'oauthProxy'],
    ['clientSecret', 'clientSecret'],
    ['scopesClaim', 'scopesClaim'],
    ['jwtValidationOptions', 'jwtValidationOptions'],
    ['maxTokenBytes', 'maxTokenBytes'],
    ['resourceMetadata', 'resourceMetadata'],
  ])('%s', (member, option) => {
    expectRefused(
      policyWith({ [member]: ['secret-value'] }),
      `"resourceMetadata.${member}" must be left out: members are announced to clients, and do nothing else. ` +
        `Write "${option}" next to "resourceMetadata", not inside it.`,
    );
  });

  test.each([
    'jwksUri',
    'resourceName',
    'resourceDocumentation',
    'resourcePolicyUri',
    'resourceTosUri',
    'resourceSigningAlgValuesSupported',
    'authorizationDetailsTypesSupported',
    'signedMetadata',
    'mcpProtocolVersion',
    'resourceType',
    'model',
    'operator',
    'scopeDescriptions',
  ])('%s is not', (member) => {
    expect(() => mcpAuth(policyWith({ [member]: 'x' }))).not.toThrow();
  });
});

test.each<[member: string, fix: string, kept: object]>([
  [
    'dpopBoundAccessTokensRequired',
    'Set senderConstraint.dpop.required to true, which announces it too.',
    { dpop: { required: true } },
  ],
  [
    'tlsClientCertificateBoundAccessTokens',
    'Set senderConstraint.mtls, which announces it too.',
    { mtls: { getCertificate: () => undefined } },
  ],
])('%s cannot be announced by a policy that accepts other tokens', (member, fix, kept) => {
  const expected = `"resourceMetadata.${member}" must be left out where the policy does not require it, but got true. ${fix}`;
  expectRefused(policyWith({ [member]: true }), expected);
  expectRefused(
    policyWith({ [member]: true }, member.startsWith('dpop') ? { senderConstraint: { dpop: {} } } : {}),
    expected,
  );
  expect(() => mcpAuth(policyWith({ [member]: true }, { senderConstraint: kept }))).not.toThrow();
  expect(() => mcpAuth(policyWith({ [member]: false }))).not.toThrow();
});

test.each([{}, { required: true }])('senderConstraint.dpop %j without a resource is refused', (dpop) => {
  for (const resourceMetadata of [undefined, {}, { resource: undefined }]) {
    expectRefused(
      policyWith({}, { senderConstraint: { dpop }, resourceMetadata }),
      `"resourceMetadata.resource" must be given where senderConstraint.dpop is, ${PROOFS}, but got undefined. ${RESOURCE_FIX}`,
    );
  }
  expect(() => mcpAuth(policyWith({}, { senderConstraint: {}, resourceMetadata: {} }))).not.toThrow();
});

test.each(['%00', '%0a', '%1F', '%7f', '%2500', '%25250d'])('a resource with %s in it is refused', (encoded) => {
  const resource = `${RESOURCE}/a${encoded}b`;
  const expected = `must be a URL without encoded control characters, but got "${resource}". ${RESOURCE_FIX}`;
  expectRefused(policyWith({ resource }), `"resourceMetadata.resource" ${expected}`);
  for (const harmless of ['%20', '%80', '%25', '%2520']) {
    expect(() => mcpAuth(policyWith({ resource: `${RESOURCE}/a${harmless}b` }))).not.toThrow();
  }
});
