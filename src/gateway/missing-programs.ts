import { isProgram } from '../targets/stdio/is-command-line.js';
import { type GatewayConfig, routesOf } from './config/gateway-config.js';

/** One warning for each `cmd` of the file that this machine does not have. It may be there where the file is used. */
export function warningsOfMissingPrograms(config: GatewayConfig): readonly string[] {
  const servers = routesOf(config).flatMap(({ backend }) => backend?.targets.map(({ server }) => server) ?? []);
  const warnings = servers.flatMap((server) => {
    if (!('command' in server)) return [];
    const { command, env, options, at } = server;
    const { cwd } = options as { cwd?: string };
    if (isProgram(command, cwd, env.PATH)) return [];
    return [`${at}.cmd: the program ${JSON.stringify(command)} is not on the PATH: install it, or write its path`];
  });
  return [...new Set(warnings)];
}
