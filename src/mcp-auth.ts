import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AuthInfo, attachAuth, clearAuth } from './auth-info.js';
import { createDecisionLog } from './decision-log.js';
import { AuthError, UpstreamError } from './errors.js';
import { type Credentials, readCredentials, removeCredentials, type Scheme } from './http/credentials.js';
import type { Middleware } from './http/middleware.js';
import { attachRefuse, createRefusal } from './http/refusal.js';
import { requestOrigin } from './http/request-origin.js';
import { publicPaths, rawPath } from './http/well-known.js';
import { MODES, type Mode } from './modes.js';
import type { McpAuthOptions } from './options/auth-options.js';
import { type ResolvedAuth, resolveAuth } from './options/resolve-auth.js';
import { PROOF_LIFETIME_SECONDS, type Presentation } from './token/proof.js';
import { createProofIds } from './token/proof-ids.js';
import { createSenderConstraint } from './token/sender-constraint.js';
import { createTokenVerifier } from './token/token-verifier.js';

/** The middleware that decides who may pass. */
export interface McpAuth extends Middleware {
  /**
   * Refuses a token from now on, or every token issued until now that `what` returns true for (one that throws counts
   * as true). Kept in this process: a restart forgets it, and other processes are not told.
   */
  revoke(what: string | ((auth: AuthInfo) => boolean)): void;
}

/** One request on its way through the gate. */
interface Passage {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly next: (error?: unknown) => void;
  readonly began: number;
}

/**
 * Lets a request pass with a valid access token, and by `mode` without: reads the token (RFC 6750, RFC 9449), verifies it
 * as a JWT (RFC 9068, RFC 8725), and sets `req.auth`. A refusal is answered here, with a challenge that tells MCP
 * clients where to log in; what is not the client's fault goes to `next(error)` with status 503.
 *
 * The metadata paths of the policy, and those of its facade, pass without a token. Does not check who may call which tool.
 *
 * @throws {ConfigError} Where the policy is not one.
 */
export function mcpAuth(options: Readonly<McpAuthOptions>): McpAuth {
  const held = resolveAuth('mcpAuth()', options);
  const schemes: readonly Scheme[] = held.dpop === 'off' ? ['bearer'] : ['bearer', 'dpop'];
  const verifier = createTokenVerifier(held);
  const sender = senderConstraintOf(held);
  const open = publicPaths(held.resource?.url.pathname ?? '/', held.facade);
  const { admit, turnAway, refuse } = createGate(held);

  function mcpAuthMiddleware(req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void {
    // An identity that an earlier middleware left here was not verified by this policy.
    clearAuth(req);
    attachRefuse(req, refuse);
    if (open.has(rawPath(req))) {
      next();
      return;
    }
    const passage = { req, res, next, began: performance.now() };
    let credentials: Credentials;
    try {
      credentials = readCredentials(req, schemes, held.maxTokenBytes);
    } catch (error) {
      turnAway(passage, error);
      return;
    }
    const known = verifier.recall(credentials.token);
    if (known !== undefined && sender.isPlain(known.auth, credentials.scheme)) admit(passage, known.auth, true);
    else void verify(passage, credentials);
  }

  async function verify(passage: Passage, { scheme, token }: Credentials): Promise<void> {
    let auth: AuthInfo;
    const known = verifier.recall(token);
    try {
      const verified = known ?? (await verifier.verify(token));
      await sender.check(verified, presentationOf(passage.req, scheme, held));
      auth = verified.auth;
    } catch (error) {
      turnAway(passage, error, scheme);
      return;
    }
    admit(passage, auth, known !== undefined);
  }

  return Object.assign(mcpAuthMiddleware, { revoke: verifier.revoke });
}

function senderConstraintOf({ dpop, mtls, clockToleranceSeconds }: ResolvedAuth) {
  const proofIds = createProofIds(PROOF_LIFETIME_SECONDS + 2 * clockToleranceSeconds);
  const mtlsMode = mtls === undefined ? 'off' : mtls.required ? 'require' : 'accept';
  return createSenderConstraint({ dpop, mtls: mtlsMode, clockToleranceSeconds, proofIds });
}

function presentationOf(req: IncomingMessage, scheme: Scheme, { resource, mtls }: ResolvedAuth): Presentation {
  const { dpop } = req.headers;
  return {
    scheme,
    method: req.method ?? '',
    url: () => (resource?.url.origin ?? requestOrigin(req)) + rawPath(req),
    proof: Array.isArray(dpop) ? dpop.join(',') : dpop,
    certificate: () => mtls?.getCertificate(req),
  };
}

function createGate(held: ResolvedAuth) {
  const mode: Mode = MODES[held.modeName];
  const refuse = createRefusal({ resource: held.resource?.url, scopes: held.requiredScopes, dpop: held.dpop });
  const record = createDecisionLog(held.modeName, held);

  function admit(passage: Passage, auth: AuthInfo, cached: boolean): void {
    const missing = held.requiredScopes.filter((scope) => !auth.scopes.includes(scope));
    if (missing.length > 0) {
      turnAway(passage, new AuthError('insufficient_scope', { missing }), 'bearer', auth);
      return;
    }
    attachAuth(passage.req, auth);
    record(passage.req, { outcome: 'passed', began: passage.began, auth, cached });
    passage.next();
  }

  function turnAway({ req, res, next, began }: Passage, error: unknown, scheme?: Scheme, auth?: AuthInfo): void {
    const isAbsent = error instanceof AuthError && error.code === 'missing_token';
    if (mode[isAbsent ? 'withoutToken' : 'withBadToken'] === 'pass') {
      if (!isAbsent) removeCredentials(req);
      record(req, { outcome: mode.passesAs, began, auth, error });
      next();
    } else if (error instanceof AuthError) {
      record(req, { outcome: 'refused', began, auth, error });
      refuse(req, res, error.code, scheme);
    } else {
      record(req, { outcome: 'failed', began, auth, error });
      if (error instanceof UpstreamError) res.setHeader('retry-after', String(error.retryAfterSeconds));
      next(error);
    }
  }

  return { admit, turnAway, refuse };
}
