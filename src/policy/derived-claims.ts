/**
 * Claims that follow from the other members of what an application knows about a credential: the entry of an API key, or the result of a
 * verifier. They say who is calling, what the caller may do, and for how long.
 */
export const DERIVED_CLAIMS: readonly string[] = [
  'iss',
  'sub',
  'client_id',
  'azp',
  'cid',
  'appid',
  'scope',
  'scp',
  'exp',
];
