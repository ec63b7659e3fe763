import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ROOT } from '../support/program.js';
import { createSigner } from '../support/signer.js';

const { jwk } = createSigner({ alg: 'RS256' });

/** Prints if the key of a policy can be read, while the same process begins to load jose a few turns of the event loop before. */
const programWith = (turns: number) => `
  import { setImmediate as turn } from 'node:timers/promises';
  import { mcpAuth } from './dist/index.js';
  const policy = { issuer: 'https://issuer.example', audiences: ['a'], jwks: { keys: [${JSON.stringify(jwk)}] } };
  const auth = mcpAuth(policy);
  const loading = import('jose');
  for (let i = 0; i < ${turns}; i += 1) await turn();
  console.log(await auth.ready());
  await loading;
  console.log(await auth.ready());
`;

test.each([0, 1, 2, 4, 8])('the first key can be read while jose is being loaded, %i turns later', async (turns) => {
  const args = ['--input-type=module', '--eval', programWith(turns)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  expect(stdout).toBe('true\ntrue\n');
});
