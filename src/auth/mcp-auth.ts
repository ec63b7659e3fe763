import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AuthInfo, attachAuth, clearAuth } from '../core/auth-info.js';
import { AuthError, UpstreamError } from '../core/errors.js';
import { createSessionSigner } from '../core/session-signer.js';
import { asksForJson } from '../http/accept.js';
import { isAnswered } from '../http/answered.js';
import { asError } from '../http/middleware.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import { replyBridgeError } from '../messages/reply-error.js';
import { publicEndpointsOf } from '../metadata/public-endpoints.js';
import { readToken, removeCredentials, repeatedHeaderRefusal, type Scheme, schemeOf } from '../oauth/credentials.js';
import { replyOutage } from '../oauth/outage.js';
import { createRefusal, createRefusers, setAnonymousRefuser, setRefuser } from '../oauth/refusal.js';
import type { McpAuthOptions } from '../policy/auth-options.js';
import { MODES, type Mode } from '../policy/modes.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { type McpAuth, rememberPolicy, resolvePolicy } from '../policy/resolved-policy.js';
import type { Presentation } from './binding/proof.js';
import { createSenderConstraint, schemeOfToken } from './binding/sender-constraint.js';
import { createDecisionLog, type Verdict } from './decision-log.js';
import { createSessionCheck, type SessionCheck } from './session-check.js';
import { createSetupHints } from './setup-hints.js';
import { missingScopes } from './token/claims.js';
import type { VerifiedToken } from './token/token-cache.js';
import { createTokenVerifier } from './token/token-verifier.js';

const NO_TOKEN = new AuthError('missing_token');

/** One request on its way through the gate. */
interface RequestContext {
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

function createRequestContext(
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
): RequestContext {
  const began = performance.now();
  return { req, res, next, began, scheme: 'bearer', canBeOvertaken: false, auth: undefined, cached: false };
}

/**
 * Lets a request pass with a valid access token, and by `mode` without: reads the token (RFC 6750, RFC 9449), verifies it
 * as a JWT (RFC 9068, RFC 8725), and sets `req.auth`. A refusal is answered here, with a challenge that tells MCP
 * clients where to log in; what is not the client's fault goes to `next(error)`, but an outage (503) is answered here where
 * the request asks for JSON.
 *
 * The metadata paths of the policy, and those of its OAuth proxy, are answered here without a token, so that nothing reaches
 * the application at them. Does not check who may call which tool.
 *
 * @param options Read once: all functions that get the same object share one policy, and refuse it once it has changed.
 * @throws {ConfigError} Where the policy is not one.
 */
export function mcpAuth(options: Readonly<McpAuthOptions>): McpAuth {
  const resolved = resolvePolicy('mcpAuth()', options);
  const schemes: readonly Scheme[] = resolved.dpop === 'off' ? ['bearer'] : ['bearer', 'dpop'];
  const verifier = createTokenVerifier(resolved);
  const sender = createSenderConstraint(resolved);
  const endpoints = publicEndpointsOf(resolved);
  const { accept, refuse, refusers } = createResponder(resolved, options);

  function mcpAuthMiddleware(req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void {
    const target = requestTarget(req);
    const endpoint = endpoints.get(rawPath(target));
    if (endpoint !== undefined) {
      clearAuth(req);
      endpoint(req, res, next);
      return;
    }
    const context = createRequestContext(req, res, next);
    const repeated = repeatedHeaderRefusal(req);
    if (repeated !== undefined) {
      refuse(context, repeated);
      return;
    }
    const { authorization } = req.headers;
    // Not thrown: it is how every client begins.
    if (authorization === undefined) refuse(context, NO_TOKEN);
    else authenticate(context, authorization, target);
  }

  function authenticate(context: RequestContext, authorization: string, target: string): void {
    const scheme = schemeOf(authorization, schemes);
    if (scheme !== undefined) context.scheme = scheme;
    let token: string;
    try {
      token = readToken(authorization, scheme, target);
    } catch (error) {
      refuse(context, error);
      return;
    }
    const known = verifier.recall(token);
    context.cached = known !== undefined;
    // How it may be refused later was attached to it when it was verified, whatever came of that request.
    if (known !== undefined && sender.isPlain(known.auth, context.scheme)) accept(context, known.auth);
    else verify(context, token, known).catch((error: unknown) => context.next(asError(error, 'mcpAuth()')));
  }

  async function verify(context: RequestContext, token: string, known: VerifiedToken | undefined): Promise<void> {
    context.canBeOvertaken = !isAnswered(context.res);
    try {
      const verified = known ?? (await verifier.verify(token));
      context.auth = verified.auth;
      setRefuser(verified.auth, refusers[schemeOfToken(verified.auth)]);
      await sender.check(verified, presentationOf(context, resolved));
    } catch (error) {
      refuse(context, error);
      return;
    }
    accept(context, context.auth);
  }

  const auth = Object.assign(mcpAuthMiddleware, { revoke: verifier.revoke });
  rememberPolicy(auth, resolved);
  return auth;
}

function presentationOf({ req, scheme }: RequestContext, { resource, mtls }: ResolvedAuth): Presentation {
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

function createResponder(resolved: ResolvedAuth, options: object) {
  const mode: Mode = MODES[resolved.modeName];
  const write = createRefusal(resolved);
  const signer = resolved.secrets.length === 0 ? undefined : createSessionSigner(resolved.secrets);
  const refusers = createRefusers(write, resolved, signer);
  const record = createDecisionLog(resolved.modeName, resolved);
  const pass = createPass(mode, record, createSessionCheck(resolved, signer));
  const hints = createSetupHints(options, resolved);

  function accept(context: RequestContext, auth: AuthInfo): void {
    const missing = missingScopes(resolved.requiredScopes, auth.scopes);
    context.auth = auth;
    if (missing.length > 0) {
      refuse(context, new AuthError('insufficient_scope', { missing }));
      return;
    }
    attachAuth(context.req, auth);
    pass(context, { outcome: 'passed', began: context.began, auth, cached: context.cached }, auth);
  }

  function refuse(context: RequestContext, error: unknown): void {
    const { req, res, next, began, auth, cached, scheme } = context;
    // An identity that an earlier middleware left here was not verified by this policy.
    clearAuth(req);
    const code = error instanceof AuthError ? error.code : undefined;
    // In every mode a request that can be read as two is none (RFC 9112, section 3.2).
    const passes =
      code !== 'repeated_header' && mode[code === 'missing_token' ? 'withoutToken' : 'withBadToken'] === 'pass';
    const outcome = passes ? mode.passesAs : error instanceof AuthError ? 'refused' : 'failed';
    const verdict: Verdict = { outcome, began, auth, cached, error };
    if (passes) {
      removeCredentials(req);
      setAnonymousRefuser(req, refusers.bearer);
      pass(context, verdict, undefined);
      return;
    }
    record(req, verdict);
    if (isOvertaken(context)) return;
    if (error instanceof AuthError) {
      if (code === 'missing_token') hints.onRefusal(req);
      write(req, res, error.code, scheme);
    } else if (error instanceof UpstreamError && asksForJson(req)) {
      // Not for next(): Express would answer with a page, which no MCP client can read.
      replyOutage(res, error);
    } else {
      if (error instanceof UpstreamError && !isAnswered(res))
        res.setHeader('retry-after', String(error.retryAfterSeconds));
      next(asError(error, 'mcpAuth()'));
    }
  }

  return { accept, refuse, refusers };
}

/** Passes requests on. Another caller's session is answered for as an unknown one; in permissive mode it is only recorded. */
function createPass(mode: Mode, record: ReturnType<typeof createDecisionLog>, checkSession: SessionCheck) {
  const isEnforced = mode.withBadToken === 'refuse';
  const outcome = isEnforced ? 'refused' : 'would_refuse';
  return (context: RequestContext, verdict: Verdict, caller: AuthInfo | undefined): void => {
    const { req, res, next } = context;
    const overtaken = isOvertaken(context);
    const refusal = overtaken ? undefined : checkSession(req, res, caller);
    // A request that strict would have refused for its token would not have come to its session.
    const counts = refusal !== undefined && verdict.outcome !== 'would_refuse';
    record(req, counts ? { ...verdict, outcome, error: refusal } : verdict);
    if (overtaken) return;
    if (refusal !== undefined && isEnforced) replyBridgeError(res, refusal);
    else next();
  };
}

/** While a slow key server was waited for, another may have answered, or the client hung up. */
function isOvertaken({ canBeOvertaken, res }: RequestContext): boolean {
  return canBeOvertaken && (isAnswered(res) || res.destroyed);
}
