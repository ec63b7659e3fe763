import { describe, expect, test } from 'vitest';
import { replay } from '../support/client-replay.js';
import { asUser, IDENTITY_KINDS, type IdentityKindName, startIdentityFlow } from '../support/identity-flow.js';
import { ALICE } from '../support/identity-logins.js';
import { initialize, post } from '../support/mcp-requests.js';
import { REAL_CLIENTS } from '../support/real-clients.js';

const NAMES = Object.keys(IDENTITY_KINDS) as IdentityKindName[];

/** As in the recordings: the resource announces its own scope. Some servers also announce `offline_access`. */
const ANNOUNCED = [['mcp.read'], ['mcp.read', 'offline_access']];

describe.each(NAMES)('registers, logs in and refreshes at %s', (name) => {
  test.each(Object.entries(REAL_CLIENTS))('%s', async (_name, client) => {
    for (const scopesSupported of ANNOUNCED) {
      const flow = await startIdentityFlow(name, {}, { resourceMetadata: { scopesSupported } });
      const { resource } = flow.guarded;
      const { registration, callback, tokens, refreshed } = await replay({ client, resource, fillIn: asUser(ALICE) });
      expect(registration.status).toBe(201);
      expect(Object.fromEntries(callback.searchParams)).toMatchObject({ code: expect.any(String), iss: resource });
      expect(refreshed !== undefined).toBe(client.refresh !== undefined);
      for (const { status, body } of refreshed === undefined ? [tokens] : [tokens, refreshed]) {
        expect(status, JSON.stringify(body)).toBe(200);
        const response = await post(resource, initialize(), { authorization: `Bearer ${body.access_token}` });
        expect(response.status).toBe(200);
        await response.text();
      }
    }
  });
});
