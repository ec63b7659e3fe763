import { readMcpAuthentication } from './authentication-policy.js';
import { readAuthorizationPolicies } from './authorization-policy.js';
import type { ConfigNode } from './config-node.js';
import { readCorsPolicy } from './cors-policy.js';
import { readApiKey, readJwtAuth } from './credential-policy.js';
import { readDirectResponse } from './direct-response.js';
import type { RoutePoliciesConfig } from './gateway-config.js';
import { readHeaderModifier } from './header-modifier.js';
import { readHttpRules } from './http-rules.js';
import { everyPolicy, mergePolicies, type Policies, type PolicyLevels, policiesOfBoth } from './policy-levels.js';
import { readRateLimits } from './rate-limits.js';
import { readRetry } from './retry-policy.js';
import type { RouteMatch } from './route-match.js';
import { readScopesPolicy } from './scopes-policy.js';
import { readTimeouts } from './timeouts.js';
import { readRedirect, readRewrite } from './url-change.js';

interface PolicySurroundings {
  readonly matches: readonly RouteMatch[];
  /** The policies that apply before a route is selected, the most specific first. */
  readonly ofListener: readonly Policies[];
  readonly directory: string;
}

/** Reads the policies of a route, except those of connections to its targets. */
export function readRoutePolicies(
  levels: PolicyLevels,
  { matches, ofListener, directory }: PolicySurroundings,
): RoutePoliciesConfig {
  const policies = mergePolicies([...levels.all, ...ofListener]);
  const rules = everyPolicy(levels.all, 'mcpAuthorization');
  const { mcpAuthentication, jwtAuth, apiKey, mcpScopes, directResponse } = policies;
  const [login, second] = [mcpAuthentication, jwtAuth, apiKey].filter((node) => node !== undefined);
  second?.refuse(`is one of two logins of this route, besides ${login?.path}: ${ONE_LOGIN}`);
  if (mcpScopes && !login) mcpScopes.refuse('needs mcpAuthentication beside it: the scopes come from the token');
  const requestRedirect = redirectOf(levels, directResponse);
  const read = {
    cors: readIf(policies.cors, readCorsPolicy),
    mcpAuthentication: readIf(mcpAuthentication, (node) => readMcpAuthentication(node, directory)),
    credentials:
      readIf(jwtAuth, (node) => readJwtAuth(node, directory)) ?? readIf(apiKey, (node) => readApiKey(node, directory)),
    gatewayAuthorization: readHttpRules(everyPolicy(ofListener, 'authorization')),
    authorization: readHttpRules(everyPolicy(levels.ofRoute, 'authorization')),
    backendAuthorization: readHttpRules(everyPolicy(levels.ofBackend, 'authorization')),
    mcpScopes: readIf(mcpScopes, readScopesPolicy),
    mcpAuthorization: rules.length > 0 ? readAuthorizationPolicies(rules) : undefined,
    localRateLimit: readIf(policies.localRateLimit, readRateLimits),
    timeout: readIf(policies.timeout, readTimeouts),
    retry: readIf(policies.retry, readRetry),
    urlRewrite: readIf(policies.urlRewrite, (node) => readRewrite(node, matches)),
    requestHeaderModifier: readIf(mergePolicies(levels.ofRoute).requestHeaderModifier, readHeaderModifier),
    backendRequestHeaderModifier: readIf(mergePolicies(levels.ofBackend).requestHeaderModifier, readHeaderModifier),
    requestRedirect: readIf(requestRedirect, (node) => readRedirect(node, matches)),
    directResponse: readIf(directResponse, readDirectResponse),
  };
  return {
    ...Object.fromEntries(Object.entries(read).filter(([, policy]) => policy !== undefined)),
    responseHeaderModifiers: policiesOfBoth(levels, 'responseHeaderModifier').map(readHeaderModifier),
  };
}

/** Returns the redirect that answers the requests of a route: its own, or that of its backend if the route itself has no answer. */
function redirectOf(levels: PolicyLevels, directResponse: ConfigNode | undefined): ConfigNode | undefined {
  const { requestRedirect: ofRoute } = mergePolicies(levels.ofRoute);
  if (ofRoute) directResponse?.refuse(`is never reached, because of ${ofRoute.path}: remove one of them`);
  const [first] = policiesOfBoth(levels, 'requestRedirect');
  return directResponse ? undefined : first;
}

const ONE_LOGIN = 'keep one of them. The apiKeys of mcpAuthentication are accepted in addition to its tokens';

function readIf<T>(node: ConfigNode | undefined, read: (node: ConfigNode) => T): T | undefined {
  return node && read(node);
}
