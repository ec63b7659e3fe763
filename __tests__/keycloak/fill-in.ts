import type { FillIn } from '../support/user-agent.js';

/** Fills in Keycloak's pages as a person would: logs in as the sample realm's user, and consents. */
export const atKeycloak: FillIn = (fields, page) => {
  if ('username' in fields) return { username: 'alice', password: 'wonderland' };
  return page.html.includes('name="accept"') ? { accept: 'Yes' } : undefined;
};
