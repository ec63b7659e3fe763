import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { McpStdioBackendOptions } from '../../src/bridge/mcp-stdio-backend.js';
import { NETWORK_VARIABLES } from '../../src/targets/stdio/child-environment.js';
import { callText, open } from '../support/mcp-requests.js';
import { ROOT } from '../support/program.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { serve } from '../support/stdio-bridge.js';

afterEach(() => void vi.unstubAllEnvs());

/** Sets these variables in this process. Returns those that a child gets, and the warnings. */
async function seen(ours: Readonly<Record<string, string>>, options: Partial<McpStdioBackendOptions> = {}) {
  for (const name of NETWORK_VARIABLES) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(ours)) vi.stubEnv(name, value);
  const { lines, logger } = createRecordingLogger();
  const { url, stop } = await serve({ ...options, logger });
  const env: Readonly<Record<string, string>> = JSON.parse(await callText(url, await open(url), 'env'));
  await stop();
  const names = [...NETWORK_VARIABLES, ...Object.keys(ours)].filter((name) => env[name] !== undefined);
  return {
    variables: Object.fromEntries(names.map((name) => [name, env[name]])),
    warnings: lines.filter((line) => line.startsWith('warn ')),
  };
}

const NETWORK = Object.fromEntries(NETWORK_VARIABLES.map((name) => [name, `http://${name}.example:3128/x`]));

describe('the variables of proxies, certificates and registries', () => {
  test('reach a child', async () => {
    expect(NETWORK_VARIABLES).toHaveLength(14);
    expect(await seen(NETWORK)).toEqual({ variables: NETWORK, warnings: [] });
  });

  test('are kept from it with inheritNetworkEnv: false, except those named in inheritEnv', async () => {
    const { NO_PROXY } = NETWORK;
    expect(await seen(NETWORK, { inheritNetworkEnv: false, inheritEnv: ['NO_PROXY'] })).toEqual({
      variables: { NO_PROXY },
      warnings: [],
    });
  });

  test.each([
    ['HTTPS_PROXY', 'http://ada:pass-word@proxy.example:3128'],
    ['https_proxy', 'http://ada@proxy.example:3128/'],
    ['HTTP_PROXY', 'ada:pass-word@proxy.example:3128'],
    ['http_proxy', 'http://ada:pass/word@proxy.example'],
    ['npm_config_registry', 'https://:pass-word@registry.example/'],
    ['PIP_INDEX_URL', 'https://ada:pass-word@registry.example/simple'],
    ['UV_DEFAULT_INDEX', 'company=https://ada:pass-word@uv.example/'],
    ['HTTPS_PROXY', 'http://COMPANY\\ada:pass-word@proxy.example:3128'],
    ['HTTPS_PROXY', 'http:/ada:pass-word@proxy.example:3128'],
    ['HTTP_PROXY', 'http:\\\\ada:pass-word@proxy.example:3128'],
    ['https_proxy', 'ht\ntp:/ada:pass-word@proxy.example:3128'],
    ['PIP_INDEX_URL', 'https://a.example/,https://ada:pass-word@b.example/'],
  ])('%s is left out if it is %s, and a line says so', async (name, value) => {
    const { variables, warnings } = await seen({ [name]: value });
    expect(variables).toEqual({});
    expect(warnings).toEqual([
      `warn mcpStdioBackend(): the child does not get ${name}, whose URL has a user name or a password: name it in inheritEnv to pass it on`,
    ]);
  });

  test.each([
    ['npm_config_registry', 'https://registry.example/@scope/'],
    ['HTTPS_PROXY', 'proxy.example:3128'],
    ['SSL_CERT_FILE', '/etc/ssl/ada@example.com.pem'],
  ])('%s with the value %s is passed', async (name, value) => {
    expect(await seen({ [name]: value })).toEqual({ variables: { [name]: value }, warnings: [] });
  });

  test('one with a password is passed if it is named, or if all variables are', async () => {
    const ours = { HTTPS_PROXY: 'http://ada:pass-word@proxy.example:3128' };
    expect(await seen(ours, { inheritEnv: ['HTTPS_PROXY'] })).toEqual({ variables: ours, warnings: [] });
    expect((await seen(ours, { inheritEnv: true })).variables).toEqual(ours);
  });

  test.each([
    ['its comment', 'src/bridge/child-options.ts', '`true`: the child also inherits'],
    ['its row', 'docs/options.md', '| `inheritNetworkEnv` |'],
  ])('are those that %s names', (_where, file, start) => {
    const [, text = ''] = readFileSync(ROOT + file, 'utf8').split(start);
    const [list = ''] = text.split(/One whose/i);
    const named = new Set(list.match(/\b(?:[A-Z]+_[A-Z_]+|npm_config_registry)\b/g));
    expect([...named].toSorted()).toEqual(NETWORK_VARIABLES.filter((name) => !/^[a-z]+_proxy$/.test(name)).toSorted());
  });
});
