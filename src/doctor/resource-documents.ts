import { withoutClosingSlash } from '../http/well-known.js';
import { resourceMetadataPath } from '../oauth/well-known.js';
import { type Finding, reporterFor } from './finding.js';
import { type Answer, type Probe, ProbeError, probeErrorOf } from './probe.js';

/** What the protected resource metadata (RFC 9728) says, and what was found on the way to it. */
export interface ResourceDocuments {
  readonly findings: readonly Finding[];
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  /** Where it was read. */
  readonly url: string;
  readonly authorizationServers: readonly string[];
}

/** Reads the document where the challenge points, else where RFC 9728 puts it, and looks at each well-known form. */
export async function readResourceDocuments(
  probe: Probe,
  url: string,
  announcedAt: string | undefined,
): Promise<ResourceDocuments> {
  const { origin, pathname } = new URL(url);
  const standard = origin + resourceMetadataPath(pathname);
  const at = announcedAt ?? standard;
  const document = reporterFor('resource metadata');
  const answer = await probe(at).catch(probeErrorOf);
  const problem = problemOf(answer);
  const metadata = problem === undefined ? (answer as Answer).json : undefined;
  const findings = [
    problem === undefined
      ? document.ok(at)
      : document.fault(
          `${at}: ${problem}`,
          'No client finds out where to log in.',
          'Mount protectedResourceMetadata(policy) at the root of the app.',
        ),
  ];
  if (metadata !== undefined) findings.push(judgeResource(url, metadata), ...judgeMembers(metadata));
  findings.push(...(await judgeForms(probe, { at, standard, root: origin + resourceMetadataPath('/') })));
  return { findings, metadata, url: at, authorizationServers: stringsOf(metadata?.authorization_servers) };
}

/** Why an answer is not a document; undefined where it is one. */
export function problemOf(answer: Answer | ProbeError): string | undefined {
  if (answer instanceof ProbeError) return `cannot be reached: ${answer.message}`;
  const { status, headers, json } = answer;
  if (status >= 300 && status < 400) return `redirects to ${headers.get('location')}`;
  if (status !== 200) return `answers ${status}`;
  if (json === undefined)
    return `answers 200 with ${headers.get('content-type') ?? 'something'} that is not a JSON object`;
  return undefined;
}

function judgeResource(url: string, { resource }: Readonly<Record<string, unknown>>): Finding {
  const named = reporterFor('resource');
  const fix = `Set resourceMetadata.resource to ${JSON.stringify(url)}, byte for byte what clients are given.`;
  if (resource === url) return named.ok(url);
  const seen = `resource is ${JSON.stringify(resource)}, the address ${JSON.stringify(url)}`;
  if (typeof resource === 'string' && withoutClosingSlash(resource) === withoutClosingSlash(url)) {
    return named.warning(seen, 'VS Code and Claude Code compare them byte for byte.', fix);
  }
  return named.fault(seen, 'Clients must not use the metadata of another resource (RFC 9728, section 3.3).', fix);
}

function judgeMembers(metadata: Readonly<Record<string, unknown>>): Finding[] {
  const findings: Finding[] = [];
  const servers = reporterFor('authorization servers');
  const named = stringsOf(metadata.authorization_servers);
  findings.push(
    named.length > 0
      ? servers.ok(named.join(', '))
      : servers.fault(
          'none',
          'Clients do not know where to log in.',
          'Set issuer, or resourceMetadata.authorizationServers.',
        ),
  );
  const methods = metadata.bearer_methods_supported;
  if (methods !== undefined && !stringsOf(methods).includes('header')) {
    findings.push(
      reporterFor('bearer methods').warning(
        `bearer_methods_supported is ${JSON.stringify(methods)}`,
        'MCP clients send tokens in the header only.',
        "Set bearerMethodsSupported: ['header'].",
      ),
    );
  }
  return findings;
}

/** Clients that do not read the challenge go by the well-known paths. */
async function judgeForms(
  probe: Probe,
  { at, standard, root }: { at: string; standard: string; root: string },
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const forms = [
    {
      form: 'well-known with path',
      address: standard,
      who: 'Clients that do not read resource_metadata find nothing.',
    },
    {
      form: 'well-known at the root',
      address: root,
      who: 'Older clients of a single resource, which look only there, find nothing.',
    },
  ];
  for (const { form, address, who } of forms) {
    if (address === at || (form.endsWith('root') && standard === root)) continue;
    const problem = problemOf(await probe(address).catch(probeErrorOf));
    const report = reporterFor(form);
    findings.push(
      problem === undefined
        ? report.ok(address)
        : report.warning(
            `${address} ${problem}`,
            who,
            'Mount protectedResourceMetadata(policy) at the root of the app.',
          ),
    );
  }
  return findings;
}

export function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
