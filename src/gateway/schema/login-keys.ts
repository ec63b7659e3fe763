import { AUTHORIZATION_TABLE, RULES_TYPE } from '../../authorization/authorization-options.js';
import { SCOPES_TABLE } from '../../authorization/scopes-options.js';
import { METHODS } from '../../messages/mcp-call.js';
import {
  ANY_MAPPING,
  either,
  FLAG,
  listOf,
  type Members,
  membersOf,
  oneOfWords,
  recordOf,
  TEXT,
} from '../../options/value-type.js';
import { MODES } from '../../policy/modes.js';
import { SHARED_TABLE } from '../../policy/resolve-auth.js';
import { CREDENTIAL_TABLE } from '../../policy/resolve-credentials.js';
import { ISSUER_TABLE } from '../../policy/resolve-issuer.js';
import { LOCATION_TYPE } from '../../policy/resolve-location.js';
import { SECRET } from './value-forms.js';

/** `mcpAuthentication`, with options that only code can give. */
export const MCP_AUTHENTICATION: Members = {
  ...SHARED_TABLE,
  ...CREDENTIAL_TABLE,
  ...ISSUER_TABLE,
  issuers: { type: listOf(membersOf('issuer', ISSUER_TABLE)), otherwise: 'the one of `issuer`' },
};

export const MCP_AUTHENTICATION_TYPE = membersOf('mcpAuthentication', MCP_AUTHENTICATION);

const { issuer, audiences, jwks, jwtValidationOptions } = ISSUER_TABLE;

/** The keys that `jwtAuth` has for one issuer. */
export const JWT_ISSUER = { issuer, audiences, jwks, jwtValidationOptions } as const;

const MODE = { type: oneOfWords(Object.keys(MODES)), default: 'optional' } as const;
const LOCATION = { type: LOCATION_TYPE, otherwise: 'the header `Authorization`' } as const;

export const JWT_AUTH = {
  mode: MODE,
  location: LOCATION,
  providers: { type: listOf(membersOf('jwtAuth provider', JWT_ISSUER), 1), otherwise: 'the issuer beside it' },
  ...JWT_ISSUER,
} as const satisfies Members;

export const API_KEY_ENTRY = {
  key: { type: SECRET },
  keyHash: { type: TEXT },
  metadata: { type: ANY_MAPPING, otherwise: 'none' },
} as const satisfies Members;

export const API_KEY = {
  keys: { type: listOf(membersOf('apiKey entry', API_KEY_ENTRY), 1), isRequired: true },
  mode: MODE,
  location: LOCATION,
} as const satisfies Members;

export const AUTHORIZATION = { rules: { type: RULES_TYPE, isRequired: true } } as const satisfies Members;

const { rules, onDenied, mode, hide, maxBodyBytes } = AUTHORIZATION_TABLE;

export const MCP_AUTHORIZATION = {
  rules: { ...rules, isRequired: true },
  onDenied,
  mode,
  hide,
  maxBodyBytes,
} as const satisfies Members;

export const MCP_AUTHORIZATION_TYPE = membersOf('mcpAuthorization', MCP_AUTHORIZATION);

const RULE = either(FLAG, listOf(TEXT, 1));
const WORDS = METHODS.filter((method) => !method.includes('/')).join('|');

/** The options of `mcpScopes()` in the file. Methods cannot clash: they are `initialize`, `ping`, or contain a slash. */
export const MCP_SCOPES = membersOf('mcpScopes', SCOPES_TABLE, {
  pattern: new RegExp(`^(?:${WORDS}|[^*]*/[^*]*)$`),
  type: either(RULE, recordOf(RULE)),
});
