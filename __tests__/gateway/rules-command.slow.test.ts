import { afterEach, describe, expect, test } from 'vitest';
import { configText } from '../support/config-text.js';
import { gatewayFolderForTests } from '../support/gateway-folder.js';
import { CLI, endPrograms, startNode } from '../support/program.js';

const folder = gatewayFolderForTests();
afterEach(endPrograms);

const RULES = { policies: { mcpAuthorization: { rules: ['mcp.tool.name == "echo"'] } } };
const callOf = (name: string) => JSON.stringify({ method: 'tools/call', params: { name, arguments: {} } });

describe('express-mcp-auth rules test', () => {
  test.each<[what: string, code: number, config: string, call: string, args: string[]]>([
    ['the call is allowed', 0, configText({ route: RULES }), callOf('echo'), []],
    ['the call is denied', 1, configText({ route: RULES }), callOf('write'), []],
    ['the call is not JSON', 2, configText({ route: RULES }), '{', []],
    ['no route has rules', 2, configText(), callOf('echo'), []],
    ['the configuration file is wrong', 2, 'binds: 5', callOf('echo'), []],
    ['there is no such option', 2, configText({ route: RULES }), callOf('echo'), ['--verbose']],
  ])('if %s, exits with code %i', async (_what, code, config, call, args) => {
    const file = await folder.write('config.yaml', config);
    const program = startNode([CLI, 'rules', 'test', '-f', file, '--call', await folder.write('call', call), ...args]);
    expect(await program.ended).toBe(code);
    if (code === 2) expect(program.stderr).toMatch(/express-mcp-auth: |\.yaml: /);
    else expect(program.stderr).toBe('');
  });
});
