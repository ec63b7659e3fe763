import { beforeAll, expect, test } from 'vitest';
import {
  callWithExpiredTokens,
  openAdminPage,
  startWatchedGateway,
  type WatchedGateway,
} from '../support/admin-page.js';
import { startDevGateway } from '../support/dev-gateway.js';
import { gatewayFolderForTests } from '../support/gateway-folder.js';
import { freePort } from '../support/loopback-server.js';
import { userOfV1, userOfV2 } from '../support/sdk-users.js';
import { undisturbed } from '../support/undisturbed.js';

const folder = gatewayFolderForTests();
let gateway: WatchedGateway;
beforeAll(async () => {
  gateway = await startWatchedGateway(folder);
});

const bearer = (sub: string) => ({ authorization: `Bearer ${folder.token({ sub })}` });

test('a refused login is seen and explained within a second', async () => {
  const page = await openAdminPage(gateway, 'live');
  const seen = await undisturbed(1_000, async (attempt) => {
    await callWithExpiredTokens(folder, gateway, `late-${attempt}`);
    const row = page.locator('.entry', { hasText: `claims to be late-${attempt}` });
    await row.getByText('Clients refresh or log in again').waitFor();
    return row.textContent();
  });
  expect(seen).toContain('Login refused');
  expect(seen).toContain('token_expired');
  expect(seen).not.toContain('Strict mode');
});

test('with a password, the page opens only with it, and a tool can be called', async () => {
  const password = 'correct horse battery';
  const file = await folder.write('password', `${password}\n`);
  const guarded = await startWatchedGateway(folder, 'strict', ['--admin-password-file', file]);
  const refused = await fetch(guarded.ui);
  expect(refused.status).toBe(401);
  expect(refused.headers.get('www-authenticate')).toBe('Basic realm="express-mcp-auth", charset="UTF-8"');
  const page = await openAdminPage(guarded, 'tools', { httpCredentials: { username: '', password } }, /status of 401/);
  await page.getByLabel('Access token or API key').fill(folder.token({ sub: 'operator' }));
  await page.getByRole('button', { name: 'List the tools' }).click();
  await page.getByRole('button', { name: 'echo' }).click();
  await page.getByLabel('message (required)').fill('hello');
  await page.getByRole('button', { name: 'Call the tool' }).click();
  await page.getByText('echo: {"message":"hello"').waitFor();
  await page.getByRole('link', { name: 'Live' }).click();
  await page.locator('.entry', { hasText: 'echo' }).getByText('operator').waitFor();
});

test('in permissive mode, the page says what strict mode would have done', async () => {
  const permissive = await startWatchedGateway(folder, 'permissive');
  const page = await openAdminPage(permissive, 'live');
  await callWithExpiredTokens(folder, permissive, 'alice');
  const row = page.locator('.entry', { hasText: 'Would refuse' });
  await row.getByText(/Strict mode would answer 401/).waitFor();
});

test('a tool is called with a pasted token, which is kept nowhere', async () => {
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

test('a tool without a simple schema is called with JSON, and a token that is refused is explained', async () => {
  const page = await openAdminPage(gateway, 'tools', {}, /status of \d+/);
  const list = page.getByRole('button', { name: 'List the tools' });
  await page.getByLabel('Access token or API key').fill(folder.token({ expiresInSeconds: -86_400 }));
  await list.click();
  await page.locator('.tools-status', { hasText: /expired|401|refused/i }).waitFor();
  await page.getByLabel('Access token or API key').fill(folder.token());
  await list.click();
  await page.getByRole('button', { name: 'evil' }).click();
  await page.getByLabel('Arguments as JSON').fill('{"a":');
  await page.getByRole('button', { name: 'Call the tool' }).click();
  await page.getByRole('alert').getByText('The arguments cannot be sent: ').waitFor();
  await page.getByLabel('Arguments as JSON').fill('{"a": [1]}');
  await page.getByRole('button', { name: 'Call the tool' }).click();
  await page.getByRole('heading', { name: 'The tool says that it failed' }).waitFor();
  await page.getByText('evil: {"a":[1]}').waitFor();
});

test.each([
  ['null', 'The answer is not the result of a tool'],
  ['"text"', 'The answer is not the result of a tool'],
  ['{"content":[null,7,{"type":"image","data":7}]}', 'The tool answered'],
  ['{"content":"text","structuredContent":null}', 'The tool answered'],
  ['{"content":[{"type":"image","data":"AA","mimeType":{"toString":1}}]}', 'The tool answered'],
])('a faulty result is shown as it is: %s', async (result, heading) => {
  const page = await openAdminPage(gateway, 'tools');
  await page.getByLabel('Access token or API key').fill(folder.token());
  await page.getByRole('button', { name: 'List the tools' }).click();
  await page.getByRole('button', { name: 'faulty' }).click();
  await page.getByLabel('result').fill(result);
  const call = page.getByRole('button', { name: 'Call the tool' });
  await call.click();
  await page.getByRole('heading', { name: heading }).waitFor();
  expect(await call.isEnabled()).toBe(true);
});

test('of an answer with many parts, the first 500 are shown', async () => {
  const page = await openAdminPage(gateway, 'tools');
  await page.getByLabel('Access token or API key').fill(folder.token());
  await page.getByRole('button', { name: 'List the tools' }).click();
  await page.getByRole('button', { name: 'faulty' }).click();
  await page.getByLabel('result').fill(JSON.stringify({ content: Array(501).fill(null) }));
  await page.getByRole('button', { name: 'Call the tool' }).click();
  await page.getByText('… 501 parts in all').waitFor();
  expect(await page.locator('.result pre').count()).toBe(500);
});

test('a tool is called with a token of the development issuer', async () => {
  const adminPort = await freePort();
  await startDevGateway(folder, {}, { args: ['--admin', `127.0.0.1:${adminPort}`] });
  const page = await openAdminPage({ ui: `http://127.0.0.1:${adminPort}/ui/` }, 'tools');
  await page.getByLabel('User of the development issuer').check();
  await page.getByRole('button', { name: 'List the tools' }).click();
  await page.getByRole('button', { name: 'Echo' }).click();
  await page.getByLabel('message (required)').fill('hello from the page');
  await page.getByRole('button', { name: 'Call the tool' }).click();
  await page.getByText('Echo: hello from the page').waitFor();
});

test('the session of a client is ended after a confirmation', async () => {
  // The client of SDK v2 has no session here: it uses a revision without.
  const user = await userOfV1(gateway.resource, 'trent', bearer('trent'));
  const page = await openAdminPage(gateway, 'sessions');
  const end = page.getByRole('button', { name: 'End the session of trent' });
  await end.click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  expect(await user.tools()).toContain('echo');
  await end.click();
  await page.getByRole('button', { name: 'End the session', exact: true }).click();
  await page.getByText('The session of trent has ended.').waitFor();
  await end.waitFor({ state: 'detached' });
  await expect(user.tools()).rejects.toThrow(/session/i);
});

test('the tokens of a user are revoked after a confirmation', async () => {
  const user = await userOfV2(gateway.resource, 'mallory', bearer('mallory'));
  const page = await openAdminPage(gateway, 'callers');
  await user.call('echo', { message: 'hello' });
  await page.getByRole('button', { name: 'Revoke the tokens of mallory' }).click();
  await page.getByRole('button', { name: 'Revoke', exact: true }).click();
  await page.getByText('The tokens of mallory are revoked.').waitFor();
  await expect(user.call('echo', { message: 'hello' })).rejects.toThrow();
});

test('the doctor checks a route at a click', async () => {
  const page = await openAdminPage(gateway, 'overview');
  await page.getByRole('button', { name: 'Run the doctor' }).click();
  await page.locator('.findings li').first().waitFor();
  expect(await page.locator('.findings').textContent()).toMatch(/metadata/i);
});

test('a page that loses the server says so, and connects again', async () => {
  const other = await startWatchedGateway(folder);
  const page = await openAdminPage(other, 'live', {}, /Failed to load resource|ERR_/);
  await callWithExpiredTokens(folder, other, 'before the restart');
  const before = page.locator('.entry', { hasText: 'before the restart' });
  await before.waitFor();
  await other.program.stop();
  await page.getByText('Connection lost. Trying again…').waitFor();
  await page.getByRole('alert').getByText('The server does not answer.').waitFor();
  await other.restart();
  await page.locator('.connection.good').waitFor();
  await callWithExpiredTokens(folder, other, 'after the restart');
  await page.locator('.entry', { hasText: 'after the restart' }).waitFor();
  expect(await before.count(), 'the server that knew it is gone').toBe(0);
});

test('a flood of requests is sampled, which the page says, and its list stays at 300 rows', async () => {
  const flooded = await startWatchedGateway(folder);
  const page = await openAdminPage(flooded, 'live');
  const rows = page.locator('.entry');
  await expect
    .poll(
      async () => {
        await callWithExpiredTokens(folder, flooded, 'flood', 100);
        return [await rows.count(), await page.getByText(/Too many to show: \d+ of \d+ are listed/).isVisible()];
      },
      { timeout: 40_000 },
    )
    .toEqual([300, true]);
  await callWithExpiredTokens(folder, flooded, 'flood', 100);
  await page.locator('.entry', { hasText: 'flood' }).first().waitFor();
  expect(await rows.count()).toBe(300);
});

test('a paused list stays as it is until it is continued, and a filter finds rows by their text', async () => {
  const page = await openAdminPage(gateway, 'live');
  await page.getByRole('button', { name: 'Pause' }).click();
  await callWithExpiredTokens(folder, gateway, 'while paused');
  await page.getByText(/Paused: \d+ more since then/).waitFor();
  expect(await page.locator('.entry', { hasText: 'while paused' }).count()).toBe(0);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByLabel('Filter by text').fill('WHILE paused');
  await page.locator('.entry', { hasText: 'while paused' }).waitFor();
  expect(await page.locator('.entry').count()).toBe(1);
  await page.getByLabel('Show').selectOption({ label: 'Answered' });
  await page.getByText('Nothing fits this filter yet').waitFor();
});
