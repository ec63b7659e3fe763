import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AuthInfo, attachAuth, clearAuth } from '../core/auth-info.js';
import { AuthError, type Evidence, UpstreamError } from '../core/errors.js';
import { createSessionSigner } from '../core/session-signer.js';
import { asksForJson } from '../http/accept.js';
import { isAnswered } from '../http/answered.js';
import { failRequest } from '../http/fail-request.js';
import { asError } from '../http/middleware.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import { replyBridgeError } from '../messages/reply-error.js';
import { publicEndpointsOf } from '../metadata/public-endpoints.js';
import { createCredentialReader, type PresentedCredential, removeCredentials } from '../oauth/credential-reader.js';
import { repeatedHeaderRefusal, type Scheme } from '../oauth/credentials.js';
import { replyOutage } from '../oauth/outage.js';
import { createRefusal, createRefusers, setAnonymousRefuser, setRefuser } from '../oauth/refusal.js';
import type { McpAuthOptions } from '../policy/auth-options.js';
import { MODES, type Mode } from '../policy/modes.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { type ResourceIdentity, resourceAt } from '../policy/resolve-resource.js';
import { type McpAuth, rememberPolicy, resolvePolicy } from '../policy/resolved-policy.js';
import { createSenderConstraint, schemeOfToken } from './binding/sender-constraint.js';
import { createCredentialVerifiers } from './credential/credential-verifiers.js';
import { createDecisionLog, type Verdict } from './decision-log.js';
import { rememberKeySetAges } from './keys/key-set-ages.js';
import {
  createRequestContext,
  isOverAfterWait,
  presentationOf,
  proofOf,
  type RequestContext,
} from './request-context.js';
import { createSessionCheck, type SessionCheck } from './session-check.js';
import { createSetupHints } from './setup-hints.js';
import { findStripped, stripCredential } from './stripped-credential.js';
import { missingScopes } from './token/claims.js';
import { type KnownRevocations, revocationsFor } from './token/known-revocations.js';
import type { VerifiedToken } from './token/token-cache.js';
import { createTokenVerifier } from './token/token-verifier.js';

/**
 * Creates the middleware that accepts requests with a valid access token, and others as `mode` says. It reads the token
 * (RFC 6750, RFC 9449), verifies it as a JWT (RFC 9068, RFC 8725), or as an API key or opaque token if the policy accepts these, and sets
 * `req.auth`. It answers a refused request with a challenge that tells MCP clients where to log in. A failure that is not the client's fault
 * goes to `next(error)`; an outage (503) is answered as JSON if the request asks for JSON.
 *
 * It also answers the metadata paths of the policy and those of its OAuth proxy, without a token: these requests never reach
 * the application. Does not check who may call which tool: see `mcpScopes()`.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { mcpAuth, protectedResourceMetadata } from 'express-mcp-auth';
 *
 * const policy = {
 *   issuer: 'https://auth.example.com',
 *   resourceMetadata: { resource: 'https://mcp.example.com/mcp' },
 * };
 * const app = express();
 * app.use('/mcp', mcpAuth(policy));
 * app.use(protectedResourceMetadata(policy));
 * ```
 *
 * @param options Read once. All functions that get the same object share one policy, and refuse an object that has changed.
 * @throws {ConfigError} If an option is missing or wrong.
 */
export function mcpAuth(options: Readonly<McpAuthOptions>): McpAuth {
  const resolved = resolvePolicy('mcpAuth()', options);
  const endpoints = publicEndpointsOf(resolved);
  const schemes: readonly Scheme[] = resolved.dpop === 'off' ? ['bearer'] : ['bearer', 'dpop'];
  const readCredential = createCredentialReader(resolved, schemes);
  const responder = createResponder(resolved, options);
  const { authenticate, revoke, ready, keySetAges } = createAuthenticator(resolved, responder, revocationsFor(options));

  function mcpAuthMiddleware(req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void {
    const target = requestTarget(req);
    const path = rawPath(target);
    const endpoint = endpoints.get(path);
    if (endpoint !== undefined) {
      clearAuth(req);
      endpoint(req, res, next);
      return;
    }
    const context = createRequestContext(req, res, next);
    const repeated = repeatedHeaderRefusal(req);
    if (repeated !== undefined) {
      responder.refuse(context, repeated);
      return;
    }
    let credential = readCredential(req, target);
    if (resolved.stripAuthorization && credential.refusal?.code === 'missing_token') {
      context.stripped = findStripped(req, resolved);
      credential = context.stripped?.credential ?? credential;
    }
    context.scheme = credential.scheme;
    if (credential.refusal !== undefined) responder.refuse(context, credential.refusal);
    else authenticate(context, credential, path);
  }

  const auth = Object.assign(mcpAuthMiddleware, { revoke, ready });
  rememberPolicy(auth, resolved);
  rememberKeySetAges(auth, keySetAges);
  return auth;
}

/** Creates the function that verifies the credential of a request, and lets the responder accept or refuse the request. */
function createAuthenticator(
  resolved: ResolvedAuth,
  { accept, refuse, refusers }: ReturnType<typeof createResponder>,
  known: KnownRevocations | undefined,
) {
  const verifier = createTokenVerifier(resolved, createCredentialVerifiers(resolved), known);
  const senderConstraint = createSenderConstraint(resolved);

  function authenticate(context: RequestContext, credential: PresentedCredential, path: string): void {
    const { token, isApiKey } = credential;
    const resource = resourceAt(resolved.resource, path);
    if (resource === undefined && resolved.resource !== undefined) {
      refuse(context, noTenantRefusal(resolved.resource));
      return;
    }
    context.resource = resource;
    const remembered = verifier.recall(token, { isApiKey, resource });
    context.cached = remembered !== undefined;
    // No setRefuser() here: it was called when this token was first verified, even if that request was refused.
    if (remembered !== undefined && senderConstraint.isPlain(remembered.auth, context.scheme)) {
      accept(context, remembered.auth, credential);
      return;
    }
    const forged = remembered === undefined && !isApiKey ? verifier.recallForged(token) : undefined;
    if (forged !== undefined) refuse(context, forged);
    else
      verifyAndAccept(context, credential, remembered).catch((error: unknown) =>
        failRequest(context.res, context.next, asError(error, 'mcpAuth()')),
      );
  }

  async function verifyAndAccept(
    context: RequestContext,
    credential: PresentedCredential,
    remembered?: VerifiedToken,
  ): Promise<void> {
    const { token, isApiKey } = credential;
    context.wasOpenBeforeWait = !isAnswered(context.res);
    try {
      const verified = remembered ?? (await verifier.verify(token, { isApiKey, resource: context.resource }));
      context.auth = verified.auth;
      setRefuser(verified.auth, refusers[schemeOfToken(verified.auth)]);
      await senderConstraint.check(verified, presentationOf(context, resolved));
    } catch (error) {
      refuse(context, error);
      return;
    }
    accept(context, context.auth, credential);
  }

  const { revoke, ready, keySetAges } = verifier;
  return { authenticate, revoke, ready, keySetAges };
}

/** The refusal of a request whose path names no tenant, although the resource has one for each: no token is meant for such a path. */
function noTenantRefusal({ href }: ResourceIdentity): AuthError {
  return new AuthError('wrong_audience', { expected: href, reason: 'the path of the request names no tenant' });
}

function createResponder(resolved: ResolvedAuth, options: object) {
  const mode: Mode = MODES[resolved.modeName];
  const writeRefusal = createRefusal(resolved);
  const signer = resolved.secrets.length === 0 ? undefined : createSessionSigner(resolved.secrets);
  const refusers = createRefusers(writeRefusal, resolved, signer);
  const record = createDecisionLog(resolved.modeName, resolved);
  const pass = createPass(mode, record, createSessionCheck(resolved, signer));
  const hints = createSetupHints(options, resolved);

  function accept(context: RequestContext, auth: AuthInfo, credential: PresentedCredential): void {
    const missing = missingScopes(resolved.requiredScopes, auth.scopes);
    context.auth = auth;
    if (missing.length > 0) {
      refuse(context, new AuthError('insufficient_scope', { missing, ...senderOf(auth) }));
      return;
    }
    if (resolved.stripAuthorization)
      stripCredential(context.req, { policy: resolved, credential, proof: proofOf(context), auth });
    attachAuth(context.req, auth);
    pass(context, { outcome: 'passed', began: context.began, auth, cached: context.cached }, auth);
  }

  function refuse(context: RequestContext, error: unknown): void {
    const { req, res, next, began, auth, cached, scheme } = context;
    // An identity set by an earlier middleware was not verified by this policy.
    clearAuth(req);
    const code = error instanceof AuthError ? error.code : undefined;
    // Two readers could read a repeated header differently, so every mode refuses it (RFC 9112, section 3.2).
    const passes =
      code !== 'repeated_header' && mode[code === 'missing_token' ? 'withoutToken' : 'withBadToken'] === 'pass';
    const outcome = passes ? mode.passesAs : error instanceof AuthError ? 'refused' : 'failed';
    const verdict: Verdict = { outcome, began, auth, cached, error };
    if (passes) {
      removeCredentials(req, resolved);
      setAnonymousRefuser(req, refusers.bearer);
      pass(context, verdict, undefined);
      return;
    }
    record(req, verdict);
    if (isOverAfterWait(context)) return;
    if (error instanceof AuthError) {
      if (code === 'missing_token') hints.onRefusal(req);
      writeRefusal(req, res, error.code, scheme);
    } else if (error instanceof UpstreamError && (error.code === 'too_many_failed_tokens' || asksForJson(req))) {
      // Express would answer next(error) with an HTML page, which MCP clients cannot read, and which costs more than the limit saves.
      replyOutage(res, error);
    } else {
      if (error instanceof UpstreamError && !isAnswered(res))
        res.setHeader('retry-after', String(error.retryAfterSeconds));
      next(asError(error, 'mcpAuth()'));
    }
  }

  return { accept, refuse, refusers };
}

/** Creates the function that passes requests to the next middleware. It answers 404 for another caller's session; permissive mode only records that. */
function createPass(mode: Mode, record: ReturnType<typeof createDecisionLog>, checkSession: SessionCheck) {
  const isEnforced = mode.withBadToken === 'refuse';
  const outcome = isEnforced ? 'refused' : 'would_refuse';
  return (context: RequestContext, verdict: Verdict, caller: AuthInfo | undefined): void => {
    const { req, res, next } = context;
    const isOver = isOverAfterWait(context);
    const refusal = isOver ? undefined : checkSession(req, res, caller);
    // Strict mode would have refused the token first, so that reason is recorded, and not the session's.
    const counts = refusal !== undefined && verdict.outcome !== 'would_refuse';
    record(req, counts ? { ...verdict, outcome, error: refusal } : verdict);
    if (isOver) return;
    if (refusal !== undefined && isEnforced) replyBridgeError(res, refusal);
    else next();
  };
}

/** The sender of a verified token, under the names that the evidence of other refusals has. */
function senderOf({ payload, subject, clientId, header }: AuthInfo): Evidence {
  return { iss: payload.iss, sub: subject, client_id: clientId, kid: header.kid };
}
