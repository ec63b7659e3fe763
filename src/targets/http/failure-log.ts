import { type Advice, withWrittenNames } from '../../core/advice.js';
import { type Logger, withFields } from '../../core/logger.js';
import { createCountedLines, createRareLine } from '../../core/rare-line.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';

interface Target {
  readonly url: URL;
  readonly logger: Logger;
}

/** The kinds of messages that have no answer. Clients send them, and the bridge too: cancellations, and refusals of requests. */
const UNANSWERED = {
  notification: 'a notification',
  response: 'an answer to its own request, which may go on waiting for it',
};

export type UnansweredKind = keyof typeof UNANSWERED;

/**
 * Creates the log of the target's failures. It logs each reason at most once a minute: if a target is down, every request fails.
 *
 * @param advice The names of options in the user's form. Left out for options of one of several targets, which have no other names.
 */
export function createFailureLog(
  who: string,
  { url, logger }: Target,
  advice: Pick<Advice, 'names'> = { names: new Map() },
): (error: unknown, detail?: string) => void {
  const count = createCountedLines<BridgeErrorCode>();
  const address = addressOf(url);
  return (error, detail) => {
    if (!(error instanceof BridgeError) || !error.reason.startsWith('target_')) return;
    const end = [detail, error.evidence].flatMap((text) => (text === undefined ? [] : `: ${text}`)).join('');
    const { reason } = error;
    const message = withWrittenNames(error.message, advice);
    count(reason, (more) =>
      withFields(logger, { code: reason }).error(`${who}: ${address}: ${message} (${reason})${end}${more}`),
    );
  };
}

/**
 * Creates the warning about a target that answers 404 to a request without a session, at most once a minute. The client gets that
 * answer, and would take it for the end of a session.
 */
export function createNotFoundWarning(who: string, { url, logger }: Target): () => void {
  const warn = createRareLine((line) => logger.warn(line));
  const line =
    `${who}: ${addressOf(url)}: the MCP server answers 404 to a request without a session: ` +
    'the path of its URL may be wrong, for example without "/mcp" at its end';
  return () => warn(line);
}

/** Creates the log of sessions that the target no longer knows, at most one line a minute. */
export function createLostSessionLog(who: string, { url, logger }: Target): () => void {
  const count = createCountedLines<'lost'>();
  const line = `${who}: ${addressOf(url)}: the MCP server no longer knows a session: it has restarted, or has ended it`;
  return () => count('lost', (more) => logger.info(line + more));
}

/** Creates the warning about a message without an answer that the target refuses: at most one line a minute for each kind. */
export function createRefusalWarning(
  who: string,
  { url, logger }: Target,
): (kind: UnansweredKind, status: number) => void {
  const count = createCountedLines<UnansweredKind>();
  return (kind, status) =>
    count(kind, (more) =>
      logger.warn(`${who}: ${addressOf(url)}: the MCP server refused ${UNANSWERED[kind]}: status ${status}${more}`),
    );
}

/** The query may contain a key. */
function addressOf(url: URL): string {
  return url.origin + url.pathname;
}
