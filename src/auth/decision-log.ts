import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { AuthInfo } from '../core/auth-info.js';
import { DECISION_CHANNEL } from '../core/channels.js';
import { AuthError, type Evidence, UpstreamError } from '../core/errors.js';
import { ignoreRejection } from '../core/ignore-rejection.js';
import { type Logger, SILENT, withFields } from '../core/logger.js';
import { printable, printableJson } from '../core/printable.js';
import { requestIdOf, requestIdOfApp } from '../core/request-id.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import { type AcceptedCredentials, refusalText } from '../oauth/refusal-text.js';
import type { AuthDecision } from '../policy/auth-decision.js';
import { type McpAuthMode, MODES } from '../policy/modes.js';
import { SessionRefusal } from './session-check.js';

const decisions = channel(DECISION_CHANNEL);

/** The outcome of one request, with what `mcpAuth()` knows about it. */
export interface Verdict {
  readonly outcome: AuthDecision['outcome'];
  /** `performance.now()` when the request arrived. */
  readonly began: number;
  readonly auth?: AuthInfo | undefined;
  readonly error?: unknown;
  readonly cached: boolean;
}

/** Reports each outcome to the diagnostics channel, `onDecision` and the logger. An error in one of them does not change the outcome. */
export function createDecisionLog(
  mode: McpAuthMode,
  policy: AcceptedCredentials & { logger: Logger; onDecision: ((decision: AuthDecision) => void) | undefined },
): (req: IncomingMessage, verdict: Verdict) => void {
  const { logger, onDecision } = policy;
  const { logsEverything } = MODES[mode];
  const advise = createAdvice(logger);
  return (req, verdict) => {
    const level = logger === SILENT ? undefined : levelFor(verdict, logsEverything);
    // Most servers have no listener: do not build the decision.
    if (level === undefined && onDecision === undefined && !decisions.hasSubscribers) return;
    const decision = describe(req, mode, verdict);
    decisions.publish(decision);
    const { code } = decision;
    if (level !== undefined)
      withFields(logger, { ...(code && { code }) })[level](lineFor(decision, verdict.error, policy) + inLine(req));
    advise(verdict.error);
    try {
      ignoreRejection(onDecision?.(decision));
    } catch {
      // An error in the hook must not change the decision. The hook can report its own errors.
    }
  };
}

/** The level of the log line; undefined for no line. */
function levelFor({ outcome, error }: Verdict, logsEverything: boolean): keyof Logger | undefined {
  if (outcome === 'failed') return 'error';
  if (logsEverything) return 'info';
  if (outcome === 'passed') return undefined;
  // Every client's first request has no token.
  return error instanceof AuthError && error.code === 'missing_token' ? 'debug' : 'info';
}

/** Logs once what to change at the authorization server. The setting is wrong for every user, so one line is enough. */
function createAdvice(logger: Logger): (error: unknown) => void {
  let hasLogged = false;
  return (error) => {
    const { audienceHint, expected } = evidenceOf(error);
    // A remembered refusal keeps only short strings as evidence, and no list.
    if (audienceHint === undefined || hasLogged || !Array.isArray(expected)) return;
    hasLogged = true;
    const audiences = expected.join(' or ');
    logger.warn(
      `mcpAuth(): the authorization server issues tokens for another audience than ${audiences}: ${audienceHint}`,
    );
  };
}

function describe(
  req: IncomingMessage,
  mode: McpAuthMode,
  { outcome, began, auth, error, cached }: Verdict,
): AuthDecision {
  const { iss, sub, client_id, kid } = evidenceOf(error);
  return {
    mode,
    outcome,
    code: codeOf(error),
    issuer: text(auth?.payload.iss ?? iss),
    subject: text(auth?.subject ?? sub),
    clientId: text(auth?.clientId ?? client_id),
    kid: text(auth?.header.kid ?? kid),
    method: req.method ?? '',
    path: rawPath(requestTarget(req)),
    requestId: requestIdOf(req),
    durationMs: performance.now() - began,
    cached,
  };
}

function codeOf(error: unknown): AuthDecision['code'] {
  if (error instanceof SessionRefusal) return error.reason;
  return error instanceof AuthError || error instanceof UpstreamError ? error.code : undefined;
}

function evidenceOf(error: unknown): Evidence {
  return error instanceof AuthError || error instanceof UpstreamError ? error.evidence : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

const MAX_EVIDENCE_LENGTH = 300;
const MAX_PATH_LENGTH = 300;
/** Some issuers write hundreds of characters, which would push everything else out of the line. */
const MAX_CLIENT_LENGTH = 80;

function lineFor(
  { mode, outcome, code, method, path }: AuthDecision,
  error: unknown,
  accepted: AcceptedCredentials,
): string {
  // Text of a client is quoted as JSON, so that it cannot forge a second line.
  const evidence = printable(quoteEvidence(withShortClient(evidenceOf(error))), MAX_EVIDENCE_LENGTH);
  const message =
    error instanceof AuthError ? refusalText(error.code, accepted) : (error as Error | undefined)?.message;
  const why = error === undefined ? '' : `: ${code ?? 'error'}: ${message} ${evidence}`;
  return `mcpAuth ${mode}: ${method} ${printableJson(path, MAX_PATH_LENGTH)} ${outcome}${why}`;
}

/** Names the request in a line of text. The log of the command has a field for it. */
function inLine(req: IncomingMessage): string {
  const id = requestIdOfApp(req);
  return id === undefined ? '' : ` (request ${id})`;
}

function withShortClient(evidence: Evidence): Evidence {
  const { client_id: client } = evidence;
  if (typeof client !== 'string' || client.length <= MAX_CLIENT_LENGTH) return evidence;
  return { ...evidence, client_id: `${client.slice(0, MAX_CLIENT_LENGTH)}…` };
}

/** A client can nest a claim so deeply that it can be parsed but not serialized. The line then leaves the evidence out. */
function quoteEvidence(evidence: Evidence): string {
  try {
    return printableJson(evidence, MAX_EVIDENCE_LENGTH) ?? '';
  } catch {
    return '{…}';
  }
}
