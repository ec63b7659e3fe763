import { wellKnownJwksUrl } from './provider.js';
import type { ProviderKind } from './provider-kind.js';

/** Descope. Its keys belong to the project, and registration needs a management key. */
export const DESCOPE: ProviderKind = Object.freeze({
  switches: Object.freeze({ metadata: 'openid' }),
  jwksUrl(issuer: string) {
    const agentic = agenticIssuer(issuer);
    return wellKnownJwksUrl(agentic === undefined ? issuer : `${agentic.origin}/${agentic.project}`);
  },
  registration: Object.freeze({
    url(issuer: string) {
      const agentic = agenticIssuer(issuer);
      return agentic && `${agentic.origin}/v1/mgmt/mcp/client/${agentic.project}/${agentic.server}/register`;
    },
    needsCredentials: true,
    hint: 'clients cannot register without a management key of the project; set "clientId" instead',
  }),
});

/** Parses an issuer of the form `https://api.descope.com/v1/apps/agentic/{project}/{server}`; undefined for any other. */
function agenticIssuer(issuer: string): { origin: string; project: string; server: string } | undefined {
  const { origin, pathname } = new URL(issuer);
  const [, project, server] = /^\/v1\/apps\/agentic\/([^/]+)\/([^/]+)\/?$/.exec(pathname) ?? [];
  return project === undefined || server === undefined ? undefined : { origin, project, server };
}
