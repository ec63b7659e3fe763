import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { AuthInfo } from '../core/auth-info.js';
import { AuthError, type Evidence, UpstreamError } from '../core/errors.js';
import { ignoreRejection } from '../core/ignore-rejection.js';
import { type Logger, SILENT } from '../core/logger.js';
import { printable, printableJson } from '../core/printable.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import type { AuthDecision } from '../policy/auth-decision.js';
import { type McpAuthMode, MODES } from '../policy/modes.js';
import { SessionRefusal } from './session-check.js';

const decisions = channel('express-mcp-auth:decision');

/** What is known of a request when it is decided on. */
export interface Verdict {
  readonly outcome: AuthDecision['outcome'];
  /** `performance.now()` when the request came. */
  readonly began: number;
  readonly auth?: AuthInfo | undefined;
  readonly error?: unknown;
  readonly cached: boolean;
}

/** Tells the channel, the hook and the logger what became of each request. Whoever fails to listen changes nothing. */
export function createDecisionLog(
  mode: McpAuthMode,
  { logger, onDecision }: { logger: Logger; onDecision: ((decision: AuthDecision) => void) | undefined },
): (req: IncomingMessage, verdict: Verdict) => void {
  const { logsEverything } = MODES[mode];
  const advise = createAdvice(logger);
  return (req, verdict) => {
    const level = logger === SILENT ? undefined : levelFor(verdict, logsEverything);
    // Nobody listens to most servers: then nothing is put together.
    if (level === undefined && onDecision === undefined && !decisions.hasSubscribers) return;
    const decision = describe(req, mode, verdict);
    decisions.publish(decision);
    if (level !== undefined) logger[level](lineFor(decision, verdict.error));
    advise(verdict.error);
    try {
      ignoreRejection(onDecision?.(decision));
    } catch {
      // A hook that throws must not turn a decision round; it has its own ways to report.
    }
  };
}

/** Undefined: no line. */
function levelFor({ outcome, error }: Verdict, logsEverything: boolean): keyof Logger | undefined {
  if (outcome === 'failed') return 'error';
  if (logsEverything) return 'info';
  if (outcome === 'passed') return undefined;
  // A request without a token is how every client begins.
  return error instanceof AuthError && error.code === 'missing_token' ? 'debug' : 'info';
}

/** Says once what to change at the authorization server: it is wrong for every user, and stays so until somebody mends it. */
function createAdvice(logger: Logger): (error: unknown) => void {
  let isGiven = false;
  return (error) => {
    const { audienceHint } = evidenceOf(error);
    if (audienceHint === undefined || isGiven) return;
    isGiven = true;
    logger.warn(`mcpAuth: the authorization server gives tokens another audience: ${audienceHint}`);
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

function lineFor({ mode, outcome, code, method, path }: AuthDecision, error: unknown): string {
  // What a stranger sent is quoted as JSON: no line can be made to look like two.
  const evidence = printable(quote(evidenceOf(error)), MAX_EVIDENCE_LENGTH);
  const why = error === undefined ? '' : `: ${code ?? 'error'}: ${(error as Error).message} ${evidence}`;
  return `mcpAuth ${mode}: ${method} ${printableJson(path, MAX_PATH_LENGTH)} ${outcome}${why}`;
}

/** A stranger can nest a claim so deeply that it can be read, and not be written: then nothing is said of it. */
function quote(evidence: Evidence): string {
  try {
    return printableJson(evidence, MAX_EVIDENCE_LENGTH) ?? '';
  } catch {
    return '{…}';
  }
}
