import { lowerAscii } from '../http/lower-ascii.js';

/** An option, and what users of other tools, of the other form of the configuration or of earlier versions call it. */
export interface OtherNames {
  /** Its name here; with a dot where it is a member of an option. */
  readonly option: string;
  /** In whatever case, with or without underscores. */
  readonly words: readonly string[];
  /** How it is written; left out where the name says it. */
  readonly write?: string;
}

/** Where a word has several entries, the one whose option is known at that place counts: a file and JavaScript differ. */
export const OTHER_NAMES: readonly OtherNames[] = [
  { option: 'oauthProxy', words: ['facade'] },
  { option: 'tokenCache', words: ['verifiedTokens', 'cache'] },
  {
    option: 'senderConstraint.dpop',
    words: ['dpop'],
    write:
      'senderConstraint: { dpop: {} } for "accept", senderConstraint: { dpop: { required: true } } for "require", and nothing for "off"',
  },
  {
    option: 'senderConstraint.mtls',
    words: ['mtls'],
    write: 'senderConstraint: { mtls: { getCertificate: (req) => … } }',
  },
  { option: 'jwks.url', words: ['jwksUri', 'jwksUrl'], write: 'jwks: { url: "https://…" }' },
  {
    option: 'jwtValidationOptions.requiredClaims',
    words: ['requiredClaims'],
    write: 'jwtValidationOptions: { requiredClaims: ["exp", …] }',
  },
  { option: 'audiences', words: ['audience'] },
  { option: 'requiredScopes', words: ['scopes', 'scope'] },
  { option: 'issuer', words: ['issuerBaseURL'] },
  { option: 'resourceMetadata.resource', words: ['resource'], write: 'resourceMetadata: { resource: "https://…" }' },
  { option: 'clockToleranceSeconds', words: ['clockTolerance'] },
  { option: 'command', words: ['cmd'] },
  { option: 'warmChildren', words: ['warm'] },
  { option: 'requestMeta', words: ['meta'] },
  { option: 'allowedClientMeta', words: ['passMeta'] },
  { option: 'allowedOrigins', words: ['origins', 'origin', 'allowOrigins'] },
  { option: 'allowedHeaders', words: ['allowHeaders'] },
  { option: 'exposedHeaders', words: ['exposeHeaders'] },
  { option: 'methods', words: ['allowMethods'] },
  { option: 'credentials', words: ['allowCredentials'] },
  { option: 'maxAgeSeconds', words: ['maxAge'] },
  // In a configuration file.
  { option: 'cmd', words: ['command'] },
  { option: 'allowOrigins', words: ['origins', 'origin', 'allowedOrigins'] },
  { option: 'allowHeaders', words: ['allowedHeaders'] },
  { option: 'exposeHeaders', words: ['exposedHeaders'] },
  { option: 'allowMethods', words: ['methods'] },
  { option: 'allowCredentials', words: ['credentials'] },
  { option: 'maxAge', words: ['maxAgeSeconds'] },
];

/** Values that an option had in an earlier version, and what they are called now. */
const OTHER_VALUES: ReadonlyMap<unknown, string> = new Map([['toolError', 'jsonRpcError']]);

/** The option that is meant by a word that is none of the `known` names; undefined where that is not certain. */
export function otherNameFor(word: string, known: readonly string[]): OtherNames | undefined {
  const folded = fold(word);
  return OTHER_NAMES.find(
    ({ option, words }) => known.includes(option.replace(/\..*/, '')) && words.some((other) => fold(other) === folded),
  );
}

/** The value that is meant by one that an option no longer has. */
export function otherValueFor(value: unknown, known: readonly string[]): string | undefined {
  const other = OTHER_VALUES.get(value);
  return other !== undefined && known.includes(other) ? other : undefined;
}

/** The advice for such a word: one sentence. */
export function writeAs({ option, write }: OtherNames): string {
  return write === undefined ? `Write "${option}".` : `Write ${write}.`;
}

function fold(word: string): string {
  return lowerAscii(word.replace(/[_-]/g, ''));
}
