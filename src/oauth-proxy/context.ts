import type { OAuthProxyEndpointName } from '../oauth/well-known.js';
import type { ResolvedOAuthProxy } from '../policy/resolve-oauth-proxy.js';
import type { ServerMetadata } from '../upstream/server-metadata.js';
import type { ClientAssertions } from './client-assertion.js';
import type { Clients } from './clients.js';
import type { LoginCookies } from './login-cookie.js';
import type { PendingLogins } from './pending-logins.js';
import type { RefusalLog } from './refusal-log.js';
import type { OAuthProxySeal } from './sealed-contents.js';
import type { UpstreamClients } from './upstream-clients.js';

/** The parts that the endpoints of one OAuth proxy share. */
export interface OAuthProxyContext {
  readonly options: ResolvedOAuthProxy;
  /** Our endpoint URLs, as in our metadata. */
  readonly endpoints: Readonly<Record<OAuthProxyEndpointName, string>>;
  readonly seal: OAuthProxySeal;
  readonly clients: Clients;
  readonly assertions: ClientAssertions;
  /** True if documents are enabled, and some can be fetched. */
  readonly announcesDocuments: boolean;
  readonly upstreamClients: UpstreamClients;
  readonly loginCookies: LoginCookies;
  readonly pendingLogins: PendingLogins;
  readonly refusals: RefusalLog;
  /** @throws {UpstreamError} */
  readonly upstream: () => Promise<ServerMetadata>;
}
