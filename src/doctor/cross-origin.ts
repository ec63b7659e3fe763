import { CORS_TABLE, REQUEST_HEADERS } from '../cors/cors-options.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { trimOws } from '../http/ows.js';
import { type Finding, reporterFor } from './finding.js';
import { INITIALIZE, type Probe, withHeaders } from './probe.js';

/** A page of nobody in particular. */
const PAGE = 'https://mcp-client.example';

const FIX = 'Mount mcpCors() before mcpAuth().';
const ADD = 'Add them to mcpCors(), whose defaults have them, or to policies.cors.';

/** Sees the server as a page of another origin does, which is how clients in a browser see it. */
export async function seeFromAnotherOrigin(
  probe: Probe,
  { url, documents }: { url: string; documents: readonly string[] },
): Promise<Finding[]> {
  return [await judgePreflight(probe, url), await judgeRefusal(probe, url), await judgeDocuments(probe, documents)];
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
  if (status < 200 || status > 299) return report.warning(`answered ${status}`, who, FIX);
  if (!allowsPage(headers))
    return report.warning('other origins are not allowed', who, `${FIX} List the origins that may.`);
  const missing = [
    ...missingFrom(headers.get('access-control-allow-headers'), asked),
    ...missingFrom(headers.get('access-control-allow-methods'), ['delete']).map((name) => name.toUpperCase()),
  ];
  if (missing.length === 0) return report.ok('allows what MCP clients send');
  return report.warning(`does not allow ${missing.join(', ')}`, 'Clients in a browser cannot send these.', ADD);
}

async function judgeRefusal(probe: Probe, url: string): Promise<Finding> {
  const report = reporterFor('CORS answers');
  const { status, headers } = await probe(url, withHeaders(INITIALIZE, { origin: PAGE }));
  if (!allowsPage(headers)) {
    return report.warning(`the ${status} cannot be read`, 'Clients in a browser see an error, and no login.', FIX);
  }
  const exposed = CORS_TABLE.exposeHeaders.default.map(lowerAscii);
  const missing = missingFrom(headers.get('access-control-expose-headers'), exposed);
  if (missing.length === 0) return report.ok('can be read, with the challenge and the session id');
  return report.warning(`does not expose ${missing.join(', ')}`, 'Clients in a browser cannot read these.', ADD);
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
