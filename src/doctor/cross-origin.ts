import { CORS_NAMES_IN_FILE, CORS_TABLE, REQUEST_HEADERS } from '../cors/cors-options.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { trimOws } from '../http/ows.js';
import { FetchError } from '../upstream/bounded-fetch.js';
import { type Finding, type Fix, reporterFor } from './finding.js';
import { fetchErrorOf, initialize, type Probe, type ProbeResponse, reasonIn } from './probe.js';
import { unansweredFinding } from './unexpected-answer.js';

/** The origin of a page that no server knows. */
const PAGE = 'https://mcp-client.example';

const MOUNT: Fix = {
  code: 'Mount mcpCors() before mcpAuth() and before any other handler of OPTIONS. For a server of the command, set policies.cors in its file.',
  file: 'Set policies.cors on the route.',
};
const ORIGINS: Fix = {
  code: 'Allow the origins of your clients where CORS is answered: in mcpCors(), in another cors() before or after it, or for a server of the command in policies.cors.allowOrigins.',
  file: 'Add the origins of your clients to policies.cors.allowOrigins.',
};
const ONCE =
  'Answer CORS in one place: two of them, such as a proxy and the server behind it, have each sent Access-Control-Allow-Origin, and browsers accept one value.';
/** @param option Of mcpCors(). */
const ADD = (option: 'allowedHeaders' | 'methods' | 'exposedHeaders'): Fix => ({
  code: `Add them where CORS is answered: to ${option} of mcpCors(), whose defaults contain them, to another cors() before or after it, or for a server of the command to policies.cors.${CORS_NAMES_IN_FILE.get(option)}.`,
  file: `Add them to policies.cors.${CORS_NAMES_IN_FILE.get(option)}.`,
});

/**
 * Checks CORS as clients in a browser need it: from a page of another origin.
 *
 * @param documents The URLs of the metadata documents that were found.
 * @param isOpen True if the server answers without a token.
 */
export async function checkCrossOrigin(
  probe: Probe,
  { url, documents, isOpen }: { url: string; documents: readonly string[]; isOpen: boolean },
): Promise<Finding[]> {
  return [
    await checkPreflight(probe, url),
    await checkAnswers(probe, url, isOpen),
    ...(documents.length === 0 ? [] : [await checkDocuments(probe, documents)]),
  ];
}

const NO_REQUEST = 'Clients in a browser cannot send a request.';

async function checkPreflight(probe: Probe, url: string): Promise<Finding> {
  // Browsers do not ask for Accept in a preflight (Fetch standard, "CORS-safelisted request-header").
  const asked = REQUEST_HEADERS.map(lowerAscii).filter((name) => name !== 'accept');
  const headers = {
    origin: PAGE,
    'access-control-request-method': 'DELETE',
    'access-control-request-headers': asked.join(','),
  };
  const answer = await probe(url, { method: 'OPTIONS', headers }).catch(fetchErrorOf);
  return answer instanceof FetchError
    ? unansweredFinding(reporterFor('CORS preflight'), 'OPTIONS', answer, NO_REQUEST)
    : preflightFinding(answer, asked);
}

function preflightFinding({ status, headers }: ProbeResponse, asked: readonly string[]): Finding {
  const report = reporterFor('CORS preflight');
  if (status < 200 || status > 299) return report.warning(`answered ${status}`, NO_REQUEST, fixOfPreflight(status));
  if (!allowsPage(headers)) return report.warning(notAllowed(headers), NO_REQUEST, originsFix(headers));
  const forbidden = missingFrom(headers.get('access-control-allow-headers'), asked);
  const methods = missingFrom(headers.get('access-control-allow-methods'), ['delete']).map((name) =>
    name.toUpperCase(),
  );
  const missing = [...forbidden, ...methods];
  if (missing.length === 0) return report.ok('allows what MCP clients send');
  const fix = ADD(forbidden.length > 0 ? 'allowedHeaders' : 'methods');
  return report.warning(`does not allow ${missing.join(', ')}`, 'Clients in a browser cannot send these.', fix);
}

/** 401, 404 and 405 mean that CORS is missing. Any other status comes from a handler of OPTIONS. */
function fixOfPreflight(status: number): Fix {
  if (status === 401 || status === 404 || status === 405) return MOUNT;
  return status === 403
    ? 'Find the check of Host or Origin that refuses it before CORS is answered, in the application or in a firewall.'
    : 'Find out what answers OPTIONS, and why.';
}

/** An Access-Control-Allow-Origin for another origin means that CORS is answered, but not for this page. */
function originsFix(headers: Headers): Fix {
  const allowed = headers.get('access-control-allow-origin');
  if (allowed?.includes(',') === true) return ONCE;
  return allowed === null ? fixWithoutAllowOrigin(headers) : ORIGINS;
}

function fixWithoutAllowOrigin(headers: Headers): Fix {
  // A server that allows methods, or varies by Origin, answers CORS, but not for this origin.
  return headers.has('access-control-allow-methods') || headers.get('vary')?.toLowerCase().includes('origin') === true
    ? ORIGINS
    : MOUNT;
}

function notAllowed(headers: Headers): string {
  const allowed = headers.get('access-control-allow-origin');
  return `other origins are not allowed${allowed === null ? '' : `, only ${allowed}`}`;
}

async function checkAnswers(probe: Probe, url: string, isOpen: boolean): Promise<Finding> {
  const answer = await initialize(probe, url, { origin: PAGE }).catch(fetchErrorOf);
  return answer instanceof FetchError
    ? unansweredFinding(reporterFor('CORS answers'), 'POST from another origin', answer, NO_ANSWER)
    : answersFinding(answer, isOpen);
}

const NO_ANSWER = 'Clients in a browser may get no answer.';

function answersFinding(answer: ProbeResponse, isOpen: boolean): Finding {
  const report = reporterFor('CORS answers');
  const { status, headers } = answer;
  if (status === 403) {
    const reason = reasonIn(answer);
    return report.warning(
      `403${reason === undefined ? '' : ` (${reason})`} for another origin, ${isOpen ? 'not 200' : 'not 401'}`,
      'Clients in a browser are refused because of their origin, and see no login.',
      {
        code: 'Allow these origins in the check that refuses them (allowedOrigins of mcpStdioBackend(), or one of the application); mcpCors() does not change that check.',
        file: 'Add the origins of your clients to policies.cors.allowOrigins; if they are there, find out what refuses them before the gateway.',
      },
    );
  }
  if (!allowsPage(headers)) {
    const seen = `the ${status} cannot be read`;
    return report.warning(seen, 'Clients in a browser see an error instead of a login.', originsFix(headers));
  }
  const exposed = CORS_TABLE.exposedHeaders.default.map(lowerAscii);
  const missing = missingFrom(headers.get('access-control-expose-headers'), exposed);
  if (missing.length === 0) return report.ok('can be read, with the challenge and the session id');
  const what = `does not expose ${missing.join(', ')}`;
  return report.warning(what, 'Clients in a browser cannot read these.', ADD('exposedHeaders'));
}

const NO_LOGIN = 'Clients in a browser cannot find out where to log in.';

async function checkDocuments(probe: Probe, documents: readonly string[]): Promise<Finding> {
  const report = reporterFor('CORS metadata');
  const closed: string[] = [];
  for (const url of documents) {
    const answer = await probe(url, { headers: { origin: PAGE } }).catch(fetchErrorOf);
    if (answer instanceof FetchError) return unansweredFinding(report, `${url} for another origin`, answer, NO_LOGIN);
    if (!allowsPage(answer.headers)) closed.push(url);
  }
  if (closed.length === 0) return report.ok('can be read');
  return report.warning(
    `other origins cannot read ${closed.join(', ')}`,
    NO_LOGIN,
    'Serve metadata with Access-Control-Allow-Origin: *; for an authorization server that does not, set provider.',
  );
}

function allowsPage(headers: Headers): boolean {
  return ['*', PAGE].includes(headers.get('access-control-allow-origin') ?? '');
}

/** Without cookies, and MCP clients send none, "*" covers every name except Authorization (Fetch standard). */
function missingFrom(header: string | null, names: readonly string[]): string[] {
  const listed = lowerAscii(header ?? '')
    .split(',')
    .map(trimOws);
  const isCovered = (name: string) => listed.includes('*') && name !== 'authorization';
  return names.filter((name) => !listed.includes(name) && !isCovered(name));
}
