import { CORS_NAMES_IN_FILE, CORS_TABLE, REQUEST_HEADERS } from '../cors/cors-options.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { trimOws } from '../http/ows.js';
import { type Finding, type Fix, reporterFor } from './finding.js';
import { initialize, type Probe, reasonIn } from './probe.js';

/** A page of nobody in particular. */
const PAGE = 'https://mcp-client.example';

const MOUNT: Fix = {
  code: 'Mount mcpCors() before mcpAuth() and before whatever else answers OPTIONS.',
  file: 'Set policies.cors on the route.',
};
const ORIGINS: Fix = {
  code: 'List the origins that may where CORS is answered: in mcpCors(), or in another cors() that answers before or after it.',
  file: 'List the origins that may in policies.cors.allowOrigins.',
};
/** @param option Of mcpCors(). */
const ADD = (option: 'allowedHeaders' | 'methods' | 'exposedHeaders'): Fix => ({
  code: `Add them where CORS is answered: to ${option} of mcpCors(), whose defaults have them, or to another cors() that answers before or after it.`,
  file: `Add them to policies.cors.${CORS_NAMES_IN_FILE.get(option)}.`,
});

/**
 * Sees the server as a page of another origin does, which is how clients in a browser see it.
 *
 * @param documents What was read, so that it can be.
 * @param isOpen Whether the server answers without a token.
 */
export async function checkCrossOrigin(
  probe: Probe,
  { url, documents, isOpen }: { url: string; documents: readonly string[]; isOpen: boolean },
): Promise<Finding[]> {
  return [
    await judgePreflight(probe, url),
    await judgeRefusal(probe, url, isOpen),
    await judgeDocuments(probe, documents),
  ];
}

async function judgePreflight(probe: Probe, url: string): Promise<Finding> {
  const report = reporterFor('CORS preflight');
  // Accept needs no leave, and browsers ask for none.
  const asked = REQUEST_HEADERS.map(lowerAscii).filter((name) => name !== 'accept');
  const { status, headers } = await probe(url, {
    method: 'OPTIONS',
    headers: {
      origin: PAGE,
      'access-control-request-method': 'DELETE',
      'access-control-request-headers': asked.join(','),
    },
  });
  const who = 'Clients in a browser cannot send a request.';
  if (status < 200 || status > 299) return report.warning(`answered ${status}`, who, fixOfPreflight(status));
  if (!allowsPage(headers)) return report.warning(notAllowed(headers), who, originsFix(headers));
  const forbidden = missingFrom(headers.get('access-control-allow-headers'), asked);
  const methods = missingFrom(headers.get('access-control-allow-methods'), ['delete']).map((name) =>
    name.toUpperCase(),
  );
  const missing = [...forbidden, ...methods];
  if (missing.length === 0) return report.ok('allows what MCP clients send');
  const fix = ADD(forbidden.length > 0 ? 'allowedHeaders' : 'methods');
  return report.warning(`does not allow ${missing.join(', ')}`, 'Clients in a browser cannot send these.', fix);
}

/** A 401, 404 or 405 is what answers where CORS is missing; anything else is the answer of something that is there. */
function fixOfPreflight(status: number): Fix {
  if (status === 401 || status === 404 || status === 405) return MOUNT;
  return status === 403
    ? 'See which check of Host or Origin refuses it before CORS is answered: the application may have one, or a firewall.'
    : 'See what answers OPTIONS, and why.';
}

/** Without a header no CORS was answered; with one it was, for others. */
function originsFix(headers: Headers): Fix {
  return headers.get('access-control-allow-origin') === null ? notAnswered(headers) : ORIGINS;
}

function notAnswered(headers: Headers): Fix {
  // A server that allows methods or headers answers CORS, but leaves this origin out.
  return headers.has('access-control-allow-methods') || headers.get('vary')?.toLowerCase().includes('origin') === true
    ? ORIGINS
    : MOUNT;
}

function notAllowed(headers: Headers): string {
  const allowed = headers.get('access-control-allow-origin');
  return `other origins are not allowed${allowed === null ? '' : `, but ${allowed}`}`;
}

async function judgeRefusal(probe: Probe, url: string, isOpen: boolean): Promise<Finding> {
  const report = reporterFor('CORS answers');
  const answer = await initialize(probe, url, { origin: PAGE });
  const { status, headers } = answer;
  if (status === 403) {
    const reason = reasonIn(answer);
    return report.warning(
      `403${reason === undefined ? '' : ` (${reason})`} for another origin, ${isOpen ? 'not 200' : 'not 401'}`,
      'Clients in a browser are refused for their origin, and see no login.',
      {
        code: 'Allow these origins in the check that refuses them (allowedOrigins of mcpStdioBackend(), or one of the application); mcpCors() does not change it.',
        file: 'List the origins that may in policies.cors.allowOrigins; if they are there, see what refuses them before the gateway.',
      },
    );
  }
  if (!allowsPage(headers)) {
    const seen = `the ${status} cannot be read`;
    return report.warning(seen, 'Clients in a browser see an error, and no login.', originsFix(headers));
  }
  const exposed = CORS_TABLE.exposedHeaders.default.map(lowerAscii);
  const missing = missingFrom(headers.get('access-control-expose-headers'), exposed);
  if (missing.length === 0) return report.ok('can be read, with the challenge and the session id');
  const what = `does not expose ${missing.join(', ')}`;
  return report.warning(what, 'Clients in a browser cannot read these.', ADD('exposedHeaders'));
}

async function judgeDocuments(probe: Probe, documents: readonly string[]): Promise<Finding> {
  const report = reporterFor('CORS metadata');
  const closed: string[] = [];
  for (const url of documents) {
    const { headers } = await probe(url, { headers: { origin: PAGE } });
    if (!allowsPage(headers)) closed.push(url);
  }
  if (closed.length === 0) return report.ok('can be read');
  return report.warning(
    `other origins cannot read ${closed.join(', ')}`,
    'Clients in a browser do not find out where to log in.',
    'Serve metadata with Access-Control-Allow-Origin: *; for an authorization server that does not, set provider.',
  );
}

function allowsPage(headers: Headers): boolean {
  return ['*', PAGE].includes(headers.get('access-control-allow-origin') ?? '');
}

/** Where no cookies are sent, and MCP clients send none, a star is every name but Authorization (Fetch standard). */
function missingFrom(header: string | null, names: readonly string[]): string[] {
  const listed = lowerAscii(header ?? '')
    .split(',')
    .map(trimOws);
  const isCovered = (name: string) => listed.includes('*') && name !== 'authorization';
  return names.filter((name) => !listed.includes(name) && !isCovered(name));
}
