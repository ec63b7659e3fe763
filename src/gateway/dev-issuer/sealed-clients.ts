import { createHmac } from 'node:crypto';
import type { AdapterPayload } from 'oidc-provider';
import { createSeal } from '../../core/seal.js';
import { isRecord } from '../../http/json-object.js';

/** Clients whose sealed ids contain them, as in the OAuth proxy. Neither a restart nor a flood of registrations loses one. */
export interface SealedClients {
  /** @returns The id of a client with this registration (RFC 7591). */
  close(registration: unknown): string;
  /** The client with this id; undefined if the id was not sealed here. */
  open(id: string): AdapterPayload | undefined;
  /** The secret of the client with this id. A public client does not use it. */
  secretOf(id: string): string;
}

/**
 * The members that a login needs. Not `scope`: clients register with the scopes that they need first, and could not ask for
 * more later (MCP specification, step-up authorization).
 */
const SEALED_MEMBERS = [
  ...['redirect_uris', 'client_name', 'application_type', 'grant_types', 'response_types'],
  'token_endpoint_auth_method',
];

/** The method of a registration without `token_endpoint_auth_method` (RFC 7591, section 2). */
const DEFAULT_METHOD = 'client_secret_basic';

/** @param secret Client ids that were sealed with another secret do not open. */
export function createSealedClients(secret: string): SealedClients {
  const seal = createSeal<{ client: { metadata: Record<string, unknown> } }>([secret], ['dev-issuer'], {
    client: { metadata: isRecord },
  });
  const secretOf = (id: string) => createHmac('sha256', secret).update(`secret of ${id}`).digest('base64url');
  return {
    secretOf,
    close(registration) {
      const given = isRecord(registration) ? registration : {};
      const members = SEALED_MEMBERS.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]]));
      return seal.close('client', { metadata: Object.fromEntries(members) });
    },
    open(id) {
      const { metadata } = seal.open('client', id) ?? {};
      if (metadata === undefined) return undefined;
      const { token_endpoint_auth_method: method = DEFAULT_METHOD } = metadata;
      return { ...metadata, client_id: id, ...(method !== 'none' && { client_secret: secretOf(id) }) };
    },
  };
}
