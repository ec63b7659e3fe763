import type { FillIn } from '../support/user-agent.js';

/** What a person does at Keycloak's pages: log in as the sample realm's user, and consent. */
export const atKeycloak: FillIn = (fields, page) => {
  if ('username' in fields) return { username: 'alice', password: 'wonderland' };
  return page.html.includes('name="accept"') ? { accept: 'Yes' } : undefined;
};
