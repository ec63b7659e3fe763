import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdminPage, startWatchedGateway, type WatchedGateway } from '../support/admin-page.js';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { endPrograms } from '../support/program.js';
import { userOfV1, userOfV2 } from '../support/sdk-users.js';
import { undisturbed } from '../support/undisturbed.js';

const MARKUP = '<img src=x onerror="document.title=\'run\'">';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
});
afterAll(async () => {
  await endPrograms();
  await folder.remove();
});

const bearer = (sub: string) => ({ authorization: `Bearer ${folder.token({ sub })}` });

/** Sends a request whose token has expired. */
async function callWithExpiredToken({ resource }: WatchedGateway, sub: string): Promise<number> {
  const authorization = `Bearer ${folder.token({ sub, expiresInSeconds: -86_400 })}`;
  const headers = { authorization, 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  return (await fetch(resource, { method: 'POST', headers, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' })).status;
}

test('a refused login is seen and explained within a second', async () => {
  const gateway = await startWatchedGateway(folder);
  const page = await openAdminPage(gateway, 'live');
  const seen = await undisturbed(1_000, async (attempt) => {
    expect(await callWithExpiredToken(gateway, `late-${attempt}`)).toBe(401);
    const row = page.locator('.entry', { hasText: `claims to be late-${attempt}` });
    await row.getByText('Clients refresh or log in again').waitFor();
    return row.textContent();
  });
  expect(seen).toContain('Login refused');
  expect(seen).toContain('token_expired');
  expect(seen).not.toContain('Strict mode');
});

test('in permissive mode, the page says what strict mode would have done', async () => {
  const gateway = await startWatchedGateway(folder, 'permissive');
  const page = await openAdminPage(gateway, 'live');
  await callWithExpiredToken(gateway, 'alice');
  const row = page.locator('.entry', { hasText: 'Would refuse' });
  await row.getByText(/Strict mode would answer 401/).waitFor();
});

test('a tool is called with a pasted token, which is kept nowhere', async () => {
  const gateway = await startWatchedGateway(folder);
  const page = await openAdminPage(gateway, 'tools');
  const token = folder.token({ sub: 'operator' });
  await page.getByLabel('Access token or API key').fill(token);
  await page.getByRole('button', { name: 'List the tools' }).click();
  await page.getByRole('button', { name: 'echo' }).click();
  await page.getByLabel('message (required)').fill('hello');
  await page.getByLabel('count').fill('3');
  await page.getByRole('button', { name: 'Call the tool' }).click();
  await page.getByText('echo: {"message":"hello","count":3}').waitFor();
  await page.getByRole('link', { name: 'Live' }).click();
  await page.locator('.entry', { hasText: 'echo' }).getByText('operator').waitFor();
  const kept = await page.evaluate<string>(
    'JSON.stringify([location.href, document.cookie, { ...localStorage }, { ...sessionStorage }, document.body.outerHTML])',
  );
  expect(kept).not.toContain(token);
  expect(gateway.program.stdout + gateway.program.stderr).not.toContain(token);
});

test.each([['SDK v1', userOfV1]] as const)(
  'the session of a client is ended after a confirmation: %s',
  async (_sdk, connect) => {
    const gateway = await startWatchedGateway(folder);
    const user = await connect(gateway.resource, 'alice', bearer('alice'));
    const page = await openAdminPage(gateway, 'sessions');
    const end = page.getByRole('button', { name: 'End the session of alice' });
    await end.click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(await user.tools()).toContain('echo');
    await end.click();
    await page.getByRole('button', { name: 'End the session', exact: true }).click();
    await page.getByText('The session of alice has ended.').waitFor();
    await page.getByText('No client has a session at present.').waitFor();
    await expect(user.tools()).rejects.toThrow(/session/i);
  },
);

test('the tokens of a user are revoked after a confirmation', async () => {
  const gateway = await startWatchedGateway(folder);
  const user = await userOfV2(gateway.resource, 'mallory', bearer('mallory'));
  const page = await openAdminPage(gateway, 'callers');
  await user.call('echo', { message: 'hello' });
  await page.getByRole('button', { name: 'Revoke the tokens of mallory' }).click();
  await page.getByRole('button', { name: 'Revoke', exact: true }).click();
  await page.getByText('The tokens of mallory are revoked.').waitFor();
  await expect(user.call('echo', { message: 'hello' })).rejects.toThrow();
});
