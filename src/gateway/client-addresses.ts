import { isLoopbackHost } from '../http/loopback.js';
import type { ResourceIdentity } from '../policy/resolve-resource.js';
import type { BindConfig } from './config/gateway-config.js';
import type { GatewayRoute } from './route.js';

/** One port of the file, with its routes. */
interface Bind {
  readonly bind: BindConfig;
  readonly routes: readonly GatewayRoute[];
}

/** The addresses that users add to their MCP clients: the resources of the file, each once, in its order. */
export function clientAddressesOf(binds: readonly Bind[]): readonly string[] {
  const resources = binds.flatMap(({ bind, routes }) =>
    routes.flatMap(({ policy }) => {
      const { resource } = policy ?? {};
      return resource === undefined || isOnOtherPort(resource, bind) ? [] : [resource.href];
    }),
  );
  return [...new Set(resources)];
}

/** One warning for each resource on this machine whose port is not the one on which its route listens. */
export function warningsOfOtherPorts(binds: readonly Bind[]): readonly string[] {
  return binds.flatMap(({ bind, routes }) =>
    routes.flatMap(({ policy, at }) => {
      const { resource } = policy ?? {};
      // Port 0 stands for any free port, which no file can name.
      if (resource === undefined || bind.port === 0 || !isOnOtherPort(resource, bind)) return [];
      const where = `${at}.policies.mcpAuthentication.resourceMetadata.resource`;
      return [
        `${where} is ${resource.href}, but ${bind.at}.port is ${bind.port}: clients do not reach the route at this address, unless a proxy forwards it. ${fixFor(bind)}`,
      ];
    }),
  );
}

function fixFor({ hasDevIssuer }: BindConfig): string {
  const fix = 'Write the same port in both';
  return hasDevIssuer
    ? `${fix}, or leave it, if an app of yours serves this address (docs/command.md#log-in-to-your-own-app).`
    : `${fix}.`;
}

function isOnOtherPort({ href, hostname }: ResourceIdentity, { port }: BindConfig): boolean {
  if (!isLoopbackHost(hostname)) return false;
  const url = new URL(href);
  return Number(url.port || (url.protocol === 'https:' ? 443 : 80)) !== port;
}
