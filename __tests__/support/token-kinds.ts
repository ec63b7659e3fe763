type Kind = readonly [claims: Readonly<Record<string, unknown>>, verdict: 'accepted' | 'wrong_token_type'];

/** Claims that tell the kinds of tokens apart, and the verdict on a token with them whose header does not say what it is. */
export const CLAIMS_OF_KINDS: readonly Kind[] = [
  [{ nonce: 'n' }, 'wrong_token_type'],
  [{ at_hash: 'h' }, 'wrong_token_type'],
  [{ c_hash: 'h' }, 'wrong_token_type'],
  [{ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }, 'wrong_token_type'],
  [{ events: ['concert'] }, 'accepted'],
  ...['ID', 'Refresh', 'Offline', 'Logout', 'Serialized-ID'].map((typ): Kind => [{ typ }, 'wrong_token_type']),
  [{ typ: 'Bearer' }, 'accepted'],
  [{ typ: 'Bearer', nonce: 'n' }, 'accepted'],
  [{ typ: 'DPoP', nonce: 'n' }, 'accepted'],
  [{ typ: 'Bearer', token_use: 'id' }, 'wrong_token_type'],
  [{ typ: 'mine' }, 'accepted'],
  [{ typ: 'mine', nonce: 'n' }, 'wrong_token_type'],
  [{ token_use: 'access' }, 'accepted'],
  [{ token_use: 'access_token' }, 'accepted'],
  [{ token_use: 'id' }, 'wrong_token_type'],
  [{ token_use: 'refresh' }, 'wrong_token_type'],
  [{ token_use: 7 }, 'accepted'],
];
