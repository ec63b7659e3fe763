import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AuthInfo, attachAuth, clearAuth } from '../core/auth-info.js';
import { AuthError, UpstreamError } from '../core/errors.js';
import { asksForJson } from '../http/accept.js';
import { isAnswered } from '../http/answered.js';
import { asError } from '../http/middleware.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import { publicEndpointsOf } from '../metadata/public-endpoints.js';
import { readToken, removeCredentials, repeatedHeaderRefusal, type Scheme, schemeOf } from '../oauth/credentials.js';
import { replyOutage } from '../oauth/outage.js';
import { attachAnonymousRefuse, attachRefuse, createLaterRefusals, createRefusal } from '../oauth/refusal.js';
import type { McpAuthOptions } from '../policy/auth-options.js';
import { MODES, type Mode } from '../policy/modes.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { type McpAuth, rememberPolicy, resolvePolicy } from '../policy/resolved-policy.js';
import type { Presentation } from './binding/proof.js';
import { createSenderConstraint, schemeOfToken } from './binding/sender-constraint.js';
import { createDecisionLog } from './decision-log.js';
import { createSetupHints } from './setup-hints.js';
import { missingScopes } from './token/claims.js';
import { createTokenVerifier } from './token/token-verifier.js';
import type { VerifiedToken } from './token/verified-tokens.js';

const NO_TOKEN = new AuthError('missing_token');

/** One request on its way through the gate. */
interface Passage {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly next: (error?: unknown) => void;
  readonly began: number;
  /** How the token came. */
  scheme: Scheme;
  /** It was not answered yet when something began to be waited for. */
  canBeOvertaken: boolean;
  /** Who sent it, once that is verified. */
  auth: AuthInfo | undefined;
  /** The token had been verified before. */
  cached: boolean;
}

function beginPassage(req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): Passage {
  const began = performance.now();
  return { req, res, next, began, scheme: 'bearer', canBeOvertaken: false, auth: undefined, cached: false };
}

/**
 * Lets a request pass with a valid access token, and by `mode` without: reads the token (RFC 6750, RFC 9449), verifies it
 * as a JWT (RFC 9068, RFC 8725), and sets `req.auth`. A refusal is answered here, with a challenge that tells MCP
 * clients where to log in; what is not the client's fault goes to `next(error)`, but an outage (503) is answered here where
 * the request asks for JSON.
 *
 * The metadata paths of the policy, and those of its facade, are answered here without a token, so that nothing reaches
 * the application at them. Does not check who may call which tool.
 *
 * @param options Read once: all functions that get the same object share one policy, and refuse it once it has changed.
 * @throws {ConfigError} Where the policy is not one.
 */
export function mcpAuth(options: Readonly<McpAuthOptions>): McpAuth {
  const held = resolvePolicy('mcpAuth()', options);
  const schemes: readonly Scheme[] = held.dpop === 'off' ? ['bearer'] : ['bearer', 'dpop'];
  const verifier = createTokenVerifier(held);
  const sender = createSenderConstraint(held);
  const endpoints = publicEndpointsOf(held);
  const { admit, turnAway, later } = createGate(held, options);

  function mcpAuthMiddleware(req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void {
    const target = requestTarget(req);
    const endpoint = endpoints.get(rawPath(target));
    if (endpoint !== undefined) {
      clearAuth(req);
      endpoint(req, res, next);
      return;
    }
    const passage = beginPassage(req, res, next);
    const repeated = repeatedHeaderRefusal(req);
    if (repeated !== undefined) {
      turnAway(passage, repeated);
      return;
    }
    const { authorization } = req.headers;
    // Not thrown: it is how every client begins.
    if (authorization === undefined) turnAway(passage, NO_TOKEN);
    else present(passage, authorization, target);
  }

  function present(passage: Passage, authorization: string, target: string): void {
    const scheme = schemeOf(authorization, schemes);
    if (scheme !== undefined) passage.scheme = scheme;
    let token: string;
    try {
      token = readToken(authorization, scheme, target);
    } catch (error) {
      turnAway(passage, error);
      return;
    }
    const known = verifier.recall(token);
    passage.cached = known !== undefined;
    // How it may be refused later was attached to it when it was verified, whatever came of that request.
    if (known !== undefined && sender.isPlain(known.auth, passage.scheme)) admit(passage, known.auth);
    else verify(passage, token, known).catch((error: unknown) => passage.next(asError(error, 'mcpAuth()')));
  }

  async function verify(passage: Passage, token: string, known: VerifiedToken | undefined): Promise<void> {
    passage.canBeOvertaken = !isAnswered(passage.res);
    try {
      const verified = known ?? (await verifier.verify(token));
      passage.auth = verified.auth;
      attachRefuse(verified.auth, later[schemeOfToken(verified.auth)]);
      await sender.check(verified, presentationOf(passage, held));
    } catch (error) {
      turnAway(passage, error);
      return;
    }
    admit(passage, passage.auth);
  }

  const auth = Object.assign(mcpAuthMiddleware, { revoke: verifier.revoke });
  rememberPolicy(auth, held);
  return auth;
}

function presentationOf({ req, scheme }: Passage, { resource, mtls }: ResolvedAuth): Presentation {
  const { dpop } = req.headers;
  return {
    scheme,
    method: req.method ?? '',
    // The policy of one that takes proofs has a resource: what the request says of its host proves nothing.
    origin: resource?.origin,
    path: rawPath(requestTarget(req)),
    proof: Array.isArray(dpop) ? dpop.join(',') : dpop,
    certificate: () => mtls?.getCertificate(req) ?? undefined,
  };
}

function createGate(held: ResolvedAuth, options: object) {
  const mode: Mode = MODES[held.modeName];
  const refuse = createRefusal(held);
  const later = createLaterRefusals(refuse, held);
  const record = createDecisionLog(held.modeName, held);
  const hints = createSetupHints(options, held);

  function admit(passage: Passage, auth: AuthInfo): void {
    const missing = missingScopes(held.requiredScopes, auth.scopes);
    passage.auth = auth;
    if (missing.length > 0) {
      turnAway(passage, new AuthError('insufficient_scope', { missing }));
      return;
    }
    attachAuth(passage.req, auth);
    record(passage.req, { outcome: 'passed', began: passage.began, auth, cached: passage.cached });
    if (!isOvertaken(passage)) passage.next();
  }

  function turnAway(passage: Passage, error: unknown): void {
    const { req, res, next, began, auth, cached, scheme } = passage;
    // An identity that an earlier middleware left here was not verified by this policy.
    clearAuth(req);
    const code = error instanceof AuthError ? error.code : undefined;
    // In every mode a request that can be read as two is none (RFC 9112, section 3.2).
    const passes =
      code !== 'repeated_header' && mode[code === 'missing_token' ? 'withoutToken' : 'withBadToken'] === 'pass';
    const outcome = passes ? mode.passesAs : error instanceof AuthError ? 'refused' : 'failed';
    record(req, { outcome, began, auth, cached, error });
    if (isOvertaken(passage)) return;
    if (passes) {
      removeCredentials(req);
      attachAnonymousRefuse(req, later.bearer);
      next();
    } else if (error instanceof AuthError) {
      if (code === 'missing_token') hints.onRefusal(req);
      refuse(req, res, error.code, scheme);
    } else if (error instanceof UpstreamError && asksForJson(req)) {
      // Not for next(): Express would answer with a page, which no MCP client can read.
      replyOutage(res, error);
    } else {
      if (error instanceof UpstreamError && !isAnswered(res))
        res.setHeader('retry-after', String(error.retryAfterSeconds));
      next(asError(error, 'mcpAuth()'));
    }
  }

  return { admit, turnAway, later };
}

/** While a slow key server was waited for, another may have answered, or the client hung up. */
function isOvertaken({ canBeOvertaken, res }: Passage): boolean {
  return canBeOvertaken && (isAnswered(res) || res.destroyed);
}
