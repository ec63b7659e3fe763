import { randomUUID } from 'node:crypto';
import { createIntrospection } from '../auth/credential/introspection.js';
import { faultsOf } from '../bridge/backend-faults.js';
import { AuthError } from '../core/errors.js';
import { SILENT } from '../core/logger.js';
import { type McpHttpBackendOptions, mcpHttpBackend, UpstreamError } from '../index.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { createServerMetadata } from '../upstream/server-metadata.js';
import type { RouteConfig } from './config/gateway-config.js';
import type { RemoteTargetConfig } from './config/remote-target.js';
import { InputFiles } from './input-files.js';
import { remoteOptions } from './remote-options.js';

/** The login of a route, and its policy. */
export interface CheckedLogin {
  readonly at: string;
  readonly policy: ResolvedAuth;
  /** Resolves to true if there are keys for the tokens of every issuer. */
  ready(): Promise<boolean>;
}

/** Asks the other servers that a route needs, and resolves to one sentence for each that cannot be used. The log has the reasons. */
export async function findServerFaults(
  { backend }: Pick<RouteConfig, 'backend'>,
  login: CheckedLogin | undefined,
): Promise<readonly string[]> {
  const remote = backend?.targets.flatMap(({ server }) => ('url' in server ? [server] : [])) ?? [];
  const ofLogin = login ? [faultOfKeys(login), faultOfIntrospection(login), faultOfMetadata(login)] : [];
  const faults = await Promise.all([...ofLogin, ...remote.map(faultOfTarget)]);
  return faults.filter((fault) => fault !== undefined);
}

async function faultOfKeys({ at, policy, ready }: CheckedLogin): Promise<string | undefined> {
  if (await ready()) return undefined;
  const issuers = policy.issuers.map(({ issuer }) => issuer).join(' and ');
  return `${at}: there are no keys for the tokens of ${issuers}: the server of its keys cannot be reached, or publishes no key that this program can use`;
}

/** Asks about a token that no server has issued. */
async function faultOfIntrospection({ at, policy }: CheckedLogin): Promise<string | undefined> {
  const { introspection } = policy;
  if (introspection === undefined) return undefined;
  const fault = `${at}.introspection: the server of ${introspection.trusted.issuer} cannot be asked about tokens`;
  return faultIf(fault, createIntrospection(introspection, policy)(randomUUID()));
}

/** The metadata of the server behind the OAuth proxy, where its logins happen. */
async function faultOfMetadata({ at, policy }: CheckedLogin): Promise<string | undefined> {
  const { oauthProxy } = policy;
  if (oauthProxy === undefined || oauthProxy.issuing !== undefined) return undefined;
  const { metadataUrls: urls, metadataIssuer: issuer, allowHttp } = oauthProxy;
  const metadata = createServerMetadata({ ...policy, urls, issuer, allowHttp });
  return faultIf(`${at}: clients cannot log in: the metadata of ${issuer} cannot be read`, metadata());
}

async function faultIf(fault: string, call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    // The server has answered, about a token that it does not know.
    if (error instanceof AuthError) return undefined;
    if (error instanceof UpstreamError) return fault;
    throw error;
  }
}

/** Asks with a backend of its own: a backend of several targets does not say which one fails. */
async function faultOfTarget(target: RemoteTargetConfig): Promise<string | undefined> {
  const { url, at } = target;
  const options = remoteOptions(target, { logger: SILENT, isOpen: false, files: new InputFiles() });
  const backend = mcpHttpBackend({ ...options, warnWhenOpen: false } as McpHttpBackendOptions);
  const [fault] = await faultsOf(backend);
  await backend.close();
  if (fault === undefined) return undefined;
  return `${at}.host: the MCP server at ${url.origin}${url.pathname} is unreachable, or answers with an error: ${fault.reason}`;
}
