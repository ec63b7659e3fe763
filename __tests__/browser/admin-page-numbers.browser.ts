import { expect, test } from 'vitest';
import { openAdminPage } from '../support/admin-page.js';
import { serveNumbers } from '../support/exact-numbers.js';

/** @param script Runs in the page before it knows the tools. */
async function openNumbersTool(script = '') {
  const page = await openAdminPage(await serveNumbers(), 'tools');
  await page.evaluate(script);
  await page.getByRole('button', { name: 'List the tools' }).click();
  return page;
}

test('numbers beyond 2^53 are sent as they are written, and shown as the tool wrote them', async () => {
  const page = await openNumbersTool();
  await page.getByRole('button', { name: 'numbers' }).click();
  expect(await page.getByLabel('preset').inputValue()).toBe('9007199254740993');
  await page.getByLabel('choice').selectOption('1234567890123456787');
  await page.getByLabel('id').fill('1234567890123456789');
  const call = page.getByRole('button', { name: 'Call the tool' });
  const fields = '"id":1234567890123456789,"preset":9007199254740993,"choice":1234567890123456787';
  await call.click();
  await page.getByText(`numbers: {${fields}}`).waitFor();
  await page.getByText('"id": 9223372036854775807').waitFor();
  await page.getByRole('button', { name: 'Write JSON instead' }).click();
  const json = page.getByLabel('Arguments as JSON');
  expect((await json.inputValue()).replace(/\s/g, '')).toBe(`{${fields}}`);
  await json.fill('{"id": 1234567890123456789, "more": [1.0, 1e400, -0, 0.12345678901234567890]}');
  await call.click();
  await page.getByText('numbers: {"id":1234567890123456789,"more":[1.0,1e400,-0,0.12345678901234567890]}').waitFor();
  await json.fill('{"id": 1234567890123456789}');
  await page.getByRole('button', { name: 'Use the fields' }).click();
  expect(await page.getByLabel('id').inputValue()).toBe('1234567890123456789');
});

test('a browser that cannot keep the text of numbers refuses those that it would round', async () => {
  const page = await openNumbersTool('delete JSON.rawJSON; delete JSON.isRawJSON');
  await page.getByRole('button', { name: 'numbers' }).click();
  const call = page.getByRole('button', { name: 'Call the tool' });
  const refused = page.getByRole('alert').getByText('cannot be sent exactly by this browser');
  // The page has rounded the preset.
  await page.getByLabel('id').fill('0.5');
  await call.click();
  await refused.waitFor();
  await page.getByLabel('preset').fill('');
  await call.click();
  await page.getByText('numbers: {"id":0.5}').waitFor();
  await page.getByLabel('id').fill('1234567890123456789');
  await call.click();
  await refused.waitFor();
  await page.getByLabel('id').fill('0.25');
  await call.click();
  await page.getByText('numbers: {"id":0.25}').waitFor();
  await page.getByRole('button', { name: 'Write JSON instead' }).click();
  await page.getByLabel('Arguments as JSON').fill('{"id": 1e400}');
  await call.click();
  await refused.waitFor();
});
