import { expect, test } from 'vitest';
import { createDevIssuerStore } from '../../src/gateway/dev-issuer/dev-issuer-store.js';
import { createSealedClients } from '../../src/gateway/dev-issuer/sealed-clients.js';

test('a flood of logins does not evict the grants of the developer', async () => {
  const store = createDevIssuerStore(createSealedClients('secret'), []);
  const modelOf = (name: string) => {
    const model = store.adapter(name);
    if (!('upsert' in model)) throw new Error('The adapter is a class');
    return model;
  };
  const kept = ['Grant', 'RefreshToken', 'AccessToken', 'AuthorizationCode'];
  for (const model of kept) await modelOf(model).upsert('a', { grantId: 'g' }, 3_600);
  for (let i = 0; i < 3_000; i++) {
    for (const model of ['Interaction', 'Session']) await modelOf(model).upsert(`${i}`, { uid: `${i}` }, 3_600);
  }
  for (const model of kept) expect(await modelOf(model).find('a'), model).toBeDefined();
  expect(store.dump().map(([key]) => key)).toEqual(expect.arrayContaining(['Grant:a', 'RefreshToken:a']));
  const logins = await Promise.all(Array.from({ length: 3_000 }, (_, i) => modelOf('Session').find(`${i}`)));
  expect(logins.filter((login) => login !== undefined).length).toBeLessThanOrEqual(1_000);
  expect(await modelOf('Session').findByUid('2999')).toBeDefined();
});
