import { FILE } from '../schema/file-keys.js';
import { ATTACHED_ROUTE } from '../schema/route-keys.js';
import { StartupError } from '../startup-error.js';
import { readBinds } from './binds-section.js';
import type { ConfigNode } from './config-node.js';
import { readFrontendPolicies } from './frontend-policies.js';
import type { BindConfig, GatewayConfig, ListenerConfig, RouteConfig } from './gateway-config.js';
import { Gateways } from './gateways-section.js';
import { describeUnused, IgnoredNames } from './ignored-names.js';
import { NamedBackends } from './named-backends.js';
import type { ProcessConfig } from './process-settings.js';
import { withOwnLabels } from './route-labels.js';
import { conditionsOf, describeMatch, type RouteMatch } from './route-match.js';
import { readRoute } from './routes.js';
import { type RuntimeConfig, readRuntimeConfig } from './runtime-section.js';
import { readMcpSection } from './simple-section.js';
import { PolicyTargets } from './targeted-policies.js';
import { ignorableBeside, UNSUPPORTED_SECTIONS } from './unsupported-features.js';
import { ExpandedTexts } from './variables.js';
import { refuseWhiteSpace } from './white-space.js';
import { parseYaml } from './yaml-document.js';

/** The settings for reading a file. */
interface FileSettings {
  /** The values of its variables. By default none is set. */
  readonly texts?: ExpandedTexts;
  /** The names given to `--ignore`. */
  readonly ignored?: readonly string[] | undefined;
  /** Called for each of them that leaves nothing out. By default, the file is refused. */
  readonly onUnused?: ((name: string) => void) | undefined;
  /** The settings of the process on the command line, which override those of the file. */
  readonly process?: ProcessConfig | undefined;
}

function refuseUnused(name: string): never {
  throw new StartupError(describeUnused(name));
}

/**
 * Parses and checks the text of a configuration file, in each of agentgateway's forms.
 *
 * @param directory Relative file names in the text start here.
 * @throws {StartupError}
 */
export function parseConfigFile(text: string, directory: string, settings: FileSettings = {}): GatewayConfig {
  const { texts = new ExpandedTexts({}), ignored = [], onUnused = refuseUnused, process } = settings;
  const names = new IgnoredNames(ignored);
  const root = parseYaml(text, texts, (name) => names.has(name));
  refuseWhiteSpace(root);
  const unsupported = ignorableBeside(['mcp', 'gateways', 'binds'], [root], UNSUPPORTED_SECTIONS);
  const sections = root.members(FILE, { unsupported });
  const { binds, gateways, routes, mcp, backends, policies } = sections;
  const runtime = readProcessSections(sections, directory, process);
  const targets = new PolicyTargets(policies);
  const parts = { directory, ...runtime, backends: new NamedBackends(backends, targets), policies: targets };
  const attached = new Gateways(gateways, parts);
  const all = [
    ...(binds ? readBinds(binds, parts) : []),
    ...(mcp ? readMcpSection(mcp, parts, attached) : []),
    ...readAttached(routes, attached),
  ];
  if (all.length === 0) root.refuse('must have mcp, or gateways with routes, or binds');
  parts.policies.refuseUnused();
  names.unused.forEach(onUnused);
  refuseSamePort(root, all);
  for (const bind of all) refuseSameMatches(bind);
  const { sessionSeconds: _, ...ofProcess } = runtime;
  const { unused } = parts.backends;
  return { binds: withOwnLabels(all), ...(unused.length > 0 && { unusedBackends: unused }), ...ofProcess };
}

/** Reads the sections about every request. */
function readProcessSections(
  { config, frontendPolicies }: { readonly config?: ConfigNode; readonly frontendPolicies?: ConfigNode },
  directory: string,
  ofCommand: ProcessConfig | undefined,
): RuntimeConfig {
  const runtime: RuntimeConfig = config ? readRuntimeConfig(config, directory, ofCommand) : { process: {} };
  const frontend = frontendPolicies ? readFrontendPolicies(frontendPolicies) : {};
  if (runtime.tracing && frontend.tracing)
    throw new StartupError(
      `${runtime.tracing.at} and ${frontend.tracing.at} both say where spans are sent: remove one`,
    );
  return { ...runtime, ...frontend };
}

function readAttached(routes: ConfigNode | undefined, gateways: Gateways): readonly BindConfig[] {
  for (const [index, route] of (routes?.items() ?? []).entries()) {
    const { gateways: references, ...members } = route.members(ATTACHED_ROUTE);
    gateways.attach(route, references, (surroundings) => readRoute(route, members, index, surroundings));
  }
  return gateways.binds();
}

function refuseSamePort(root: ConfigNode, binds: readonly BindConfig[]): void {
  const taken = new Map<number, string>();
  for (const { port, at } of binds) {
    const other = taken.get(port);
    if (other !== undefined) root.refuse(`has port ${port} twice, in ${other} and in ${at}`);
    if (port !== 0) taken.set(port, at);
  }
}

/** Of two routes for the same requests only one would be reached, and the policies of the other would be ignored. */
function refuseSameMatches({ listeners, at }: BindConfig): void {
  const taken = new Map<string, RouteConfig>();
  for (const listener of listeners) {
    for (const route of listener.routes) {
      const requests = requestsOf(listener, route);
      for (const [key, match] of requests) {
        const other = taken.get(key);
        if (other !== undefined)
          throw new StartupError(`${at} has ${describeMatch(match)} twice, in ${other.at} and in ${match.at}`);
      }
      for (const [key] of requests) taken.set(key, route);
    }
  }
}

/** The requests of a route: for each host and match a text that is equal for the same requests. There may be thousands of routes. */
function requestsOf(listener: ListenerConfig, route: RouteConfig): ReadonlyArray<readonly [string, RouteMatch]> {
  const hosts = hostsOf(listener, route);
  return route.matches.flatMap((match) => {
    const conditions = conditionsOf(match);
    return hosts.map((host) => [`${host} ${conditions}`, match] as const);
  });
}

/** The hosts of a route, each with the host of its listener. */
function hostsOf({ hostname }: ListenerConfig, { hostnames }: RouteConfig): readonly string[] {
  return (hostnames.length === 0 ? ['*'] : hostnames).map((host) => JSON.stringify([hostname, host]));
}
