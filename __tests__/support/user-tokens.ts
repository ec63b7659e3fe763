import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import express, { type Express } from 'express';
import { onTestFinished } from 'vitest';
import { type McpAuth, type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { createIssuedTokens, type IssuedToken } from '../../src/oauth/issued-token.js';
import { startExchangeServer } from './exchange-server.js';
import { replyJson } from './introspection-server.js';
import { listen, originOf, serve, stop } from './loopback-server.js';
import { createRecordingLogger } from './recording-logger.js';

/** Users with a token of their own for another API, beside the token for the MCP server. */
export interface UserTokens {
  /** The policy of the MCP server. */
  readonly policy: Record<string, unknown>;
  /** Lists the repositories of the user whose token of the API comes. */
  readonly api: string;
  /** Issues a token for the MCP server. */
  issue(user: string): string;
  /** All tokens of the API. */
  all(): readonly string[];
}

const SECRET = 'a secret of thirty-two characters';
const RESOURCE = 'https://mcp.example/mcp';
const CLIENT = { clientId: 'our-app', clientSecret: 'a secret of the identity provider' };

/** A policy with an identity provider, and tokens as its OAuth proxy issues them. */
export function createIssuer() {
  const tokens = createIssuedTokens([SECRET], { resource: RESOURCE, issuer: 'https://github.com', ...CLIENT });
  const policy = {
    provider: { github: { allow: () => true } },
    ...CLIENT,
    oauthProxy: { secret: SECRET },
    resourceMetadata: { resource: RESOURCE },
  };
  const issue = (changes: Partial<IssuedToken> & Pick<IssuedToken, 'upstream'>): string => {
    const now = Math.floor(Date.now() / 1_000);
    const times = { issuedAt: now, expiresAt: now + 3_600 };
    const [id, login] = [randomBytes(9).toString('base64url'), randomBytes(12).toString('base64url')];
    const contents = { subject: '1', clientId: 'app', scopes: [], ...times, id, login, claims: {}, ...changes };
    return tokens.issue(contents) as string;
  };
  return { policy, issue };
}

async function issued(): Promise<UserTokens> {
  const users = new Map<string, string>();
  const { policy, issue } = createIssuer();
  const origin = await serve((req, res) => {
    const user = users.get((req.headers.authorization ?? '').replace(/^Bearer /, ''));
    if (user === undefined) replyJson(res, { message: 'Bad credentials' }, 401);
    else replyJson(res, [{ full_name: `${user}/notes` }]);
  });
  return {
    policy,
    api: `${origin}/user/repos`,
    issue(user) {
      const token = `gho_${randomBytes(27).toString('base64url')}`;
      users.set(token, user);
      return issue({ subject: user, upstream: { token, expiresAt: undefined } });
    },
    all: () => [...users.keys()],
  };
}

async function exchanged(): Promise<UserTokens> {
  const server = await startExchangeServer('RFC 8693');
  return { policy: server.policy(), api: server.api, issue: server.issue, all: () => server.exchanged };
}

/** The source of the user's own token. */
export const USER_TOKENS: readonly (readonly [name: string, start: () => Promise<UserTokens>])[] = [
  ['the token of a login', issued],
  ['an exchanged token', exchanged],
];

/** An app behind `mcpAuth()` on a real listener. */
export interface UpstreamServer {
  readonly url: string;
  readonly auth: McpAuth;
  /** The log, and the decisions as JSON. */
  readonly lines: readonly string[];
  readonly logger: ReturnType<typeof createRecordingLogger>['logger'];
  readonly app: Express;
}

/** Starts an app behind `mcpAuth()`. The handler of /mcp is mounted by the test. */
export async function startUpstreamServer(policy: Record<string, unknown>): Promise<UpstreamServer> {
  const { lines, logger } = createRecordingLogger();
  const onDecision = (decision: unknown) => void lines.push(JSON.stringify(decision));
  const auth = mcpAuth({ logger, onDecision, ...policy } as McpAuthOptions);
  const app = express().use(auth);
  const server = createServer(app);
  await listen(server);
  onTestFinished(() => stop(server));
  return { url: `${originOf(server)}/mcp`, auth, lines, logger, app };
}
