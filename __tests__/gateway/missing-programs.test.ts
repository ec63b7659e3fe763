import { expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { warningsOfMissingPrograms } from '../../src/gateway/missing-programs.js';

const warningsFor = (stdio: object) =>
  warningsOfMissingPrograms(parseConfigFile(JSON.stringify({ mcp: { targets: [{ name: 'a', stdio }] } }), '/'));

test.each([
  [{ cmd: 'no-such-program' }, '"no-such-program"'],
  [{ cmd: './no-such-program' }, '"./no-such-program"'],
  [{ cmd: process.execPath, env: { PATH: '/nowhere' } }, undefined],
  [{ cmd: 'node', env: { PATH: '/nowhere' } }, '"node"'],
  [{ cmd: 'sh', cwd: '/nowhere' }, undefined],
])('%j', (stdio, named) => {
  const warning = `mcp.targets[0].stdio.cmd: the program ${named} is not on the PATH: install it, or write its path`;
  expect(warningsFor(stdio)).toEqual(named === undefined ? [] : [warning]);
});
