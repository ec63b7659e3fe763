import type { AuthInfo } from '../core/auth-info.js';
import type { ConnectionSource } from '../targets/connection.js';
import type { ConnectionHeaders } from '../targets/http/message-headers.js';
import { RemoteSource } from '../targets/http/remote-source.js';
import { environmentHint, inheritedEnvironment } from '../targets/stdio/child-environment.js';
import { ChildSource } from '../targets/stdio/child-source.js';
import type { ChildVariables } from '../targets/stdio/deferred-child.js';
import type { ResolvedBridge } from './bridge-options.js';
import type { ResolvedChild } from './child-options.js';
import { createCallerHeaders } from './http/caller-headers.js';
import { createCallerTokens, type PublishedKey, publishKey } from './http/caller-token.js';
import type { ResolvedServer } from './http/remote-server-options.js';
import { audienceOf, credentialOptions, describeCredentials, secretsIn } from './http/sent-credentials.js';

/** The options of a target have no other names in the configuration file. */
const NO_ADVICE = { names: new Map<string, string>() };

type Shared = Pick<ResolvedBridge, 'logger' | 'maxMessageBytes' | 'maxPendingRequests' | 'requestTimeoutSeconds'>;

const limitsOf = ({ maxPendingRequests, requestTimeoutSeconds, maxMessageBytes, logger }: Shared) => ({
  maxWaiting: maxPendingRequests,
  waitMs: requestTimeoutSeconds * 1_000,
  maxMessageBytes,
  logger,
});

/**
 * Creates the source of the children that `child` describes.
 *
 * @param target The name of the target in the log, if the backend has names for them.
 */
export function createChildSource(child: ResolvedChild, shared: Shared, target?: string): ChildSource {
  const { program, cwd, env, inheritEnv, warmChildren } = child;
  const inherited = inheritedEnvironment(child);
  const withInherited = (own: ChildVariables): ChildVariables => ({ ...inherited, ...own });
  const recipe = {
    ...program,
    cwd,
    target,
    environmentHint: environmentHint(inheritEnv),
    ...limitsOf(shared),
  };
  const environmentFor = (auth: AuthInfo | undefined) => {
    const own = env(auth);
    return own instanceof Promise ? own.then(withInherited) : withInherited(own);
  };
  return new ChildSource(recipe, environmentFor, warmChildren);
}

/** A source of connections to a remote server, and the key that signs its caller tokens. */
export interface CreatedRemote {
  readonly source: ConnectionSource;
  readonly key: PublishedKey | undefined;
  /** Resolves to the reason why the server does not answer; undefined if it does. */
  fault(): Promise<string | undefined>;
}

/**
 * Creates the source of connections to a remote server.
 *
 * @param who The function and the target, in the log.
 * @param name The name of the target in the records of calls.
 */
export function createRemoteSource(who: string, server: ResolvedServer, shared: Shared, name?: string): CreatedRemote {
  const { url, callerToken, responseTimeoutSeconds } = server;
  const key = callerToken && publishKey(callerToken.key, shared.logger, who);
  const tokens = callerToken && key && createCallerTokens(callerToken, audienceOf(url), key);
  const headersFor = createCallerHeaders({ ...server, logger: shared.logger }, tokens, who);
  const recipe = {
    who,
    name,
    responseMs: responseTimeoutSeconds * 1_000,
    headersFor,
    describe: ({ caller, sessionId }: ConnectionHeaders) => ({
      url,
      credentials: describeCredentials(server, NO_ADVICE, caller),
      secrets: secretsIn([...caller.values(), sessionId]),
    }),
    sendsCredentials: credentialOptions(server, NO_ADVICE).length > 0,
    ...limitsOf(shared),
  };
  const source = new RemoteSource(server, recipe);
  return { source, key, fault: () => source.fault() };
}
