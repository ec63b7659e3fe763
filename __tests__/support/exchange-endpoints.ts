import type { IncomingMessage } from 'node:http';

type Json = Readonly<Record<string, unknown>>;

/** The two ways to exchange tokens: RFC 8693, and Entra's on-behalf-of flow. */
export type ExchangeKind = 'RFC 8693' | 'Entra';

/** A refusal as the token endpoint answers it. */
export interface Refused {
  readonly status: number;
  readonly error: string;
  readonly description: string;
  readonly more?: Json;
}

/** The client that may exchange tokens. */
export interface ExchangeClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** A secret with every character that form encoding changes (RFC 6749, section 2.3.1). */
export const EXCHANGE_CLIENT: ExchangeClient = { clientId: 'mcp server:1', clientSecret: 's3cret +/=%&äß' };

export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
export const API_NAME = 'repositories';
export const GRAPH_SCOPE = 'https://graph.example/Repos.Read';

/** The tokens that may be exchanged. */
type Subjects = ReadonlyMap<string, { readonly sub: string; readonly exp: number }>;
type Rule = (
  req: IncomingMessage,
  form: URLSearchParams,
  subjects: Subjects,
  client: ExchangeClient,
) => Refused | undefined;

const refused = (error: string, description: string, status = 400, more: Json = {}): Refused => ({
  status,
  error,
  description,
  more,
});

/** RFC 6749, section 3.2: parameters must not be repeated, except those that RFC 8693, section 2.1, says. */
function repeated(form: URLSearchParams, mayRepeat: readonly string[] = []): string | undefined {
  return [...new Set(form.keys())].find((name) => form.getAll(name).length > 1 && !mayRepeat.includes(name));
}

const isForm = (req: IncomingMessage) =>
  req.method === 'POST' && req.headers['content-type'] === 'application/x-www-form-urlencoded';

const tokenExchange: Rule = (req, form, subjects, client) => {
  if (!isForm(req)) return refused('invalid_request', 'POST a form');
  if (form.has('client_id') || form.has('client_secret') || !hasBasicCredentials(req.headers.authorization, client))
    return refused('invalid_client', 'Client authentication failed', 401);
  const twice = repeated(form, ['audience', 'resource']);
  if (twice !== undefined) return refused('invalid_request', `${twice} is repeated`);
  if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:token-exchange')
    return refused('unsupported_grant_type', 'Only token exchange');
  if (form.get('subject_token_type') !== ACCESS_TOKEN || form.get('requested_token_type') !== ACCESS_TOKEN)
    return refused('invalid_request', 'Unsupported token type');
  const subject = subjects.get(form.get('subject_token') ?? '');
  if (subject === undefined || subject.exp * 1_000 <= Date.now())
    return refused('invalid_request', 'The subject_token is not valid or has expired');
  if (form.getAll('resource').some((each) => !URL.canParse(each) || new URL(each).hash !== ''))
    return refused('invalid_target', 'resource is no absolute URI');
  const targets = [...form.getAll('audience'), ...form.getAll('resource')];
  if (targets.length === 0 || targets.some((each) => each !== API_NAME && !each.startsWith('https://api.example/')))
    return refused('invalid_target', 'Unknown target service');
  return undefined;
};

function hasBasicCredentials(authorization: string | undefined, { clientId, clientSecret }: ExchangeClient): boolean {
  const parts = [clientId, clientSecret];
  const encoded = parts.map((part) => encodeURIComponent(part).replaceAll('%20', '+'));
  return authorization === `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
}

/** The codes of https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes. */
const onBehalfOf: Rule = (req, form, subjects, client) => {
  const missing = ['client_id', 'grant_type', 'assertion', 'scope', 'requested_token_use'].find(
    (name) => !form.get(name),
  );
  if (!isForm(req) || missing !== undefined)
    return aadsts(900144, 'invalid_request', `The request body must contain the following parameter: '${missing}'.`);
  const twice = repeated(form);
  if (twice !== undefined) return aadsts(90100, 'invalid_request', `${twice} parameter is duplicated.`);
  if (form.has('resource') || form.has('audience'))
    return aadsts(9010010, 'invalid_request', "The 'resource' request parameter is not supported.");
  if (form.get('client_id') !== client.clientId)
    return aadsts(700016, 'unauthorized_client', 'Application was not found in the directory.');
  if (form.get('client_secret') !== client.clientSecret)
    return aadsts(7000215, 'invalid_client', 'Invalid client secret provided.', 401);
  if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer')
    return aadsts(70003, 'unsupported_grant_type', 'The app requested an unsupported grant type.');
  if (form.get('requested_token_use') !== 'on_behalf_of')
    return aadsts(90022, 'invalid_request', 'requested_token_use is not supported.');
  const subject = subjects.get(form.get('assertion') ?? '');
  if (subject === undefined) return aadsts(50013, 'invalid_grant', 'Assertion failed signature validation.');
  if (subject.exp * 1_000 <= Date.now())
    return aadsts(500133, 'invalid_grant', 'Assertion is not within its valid time range.');
  if (subject.sub === 'needs-mfa') {
    const claims = '{"access_token":{"polids":{"essential":true,"values":["9ab03e19-ed42-4168-b6b7-7001fb3e933a"]}}}';
    return aadsts(50079, 'interaction_required', 'You must enroll in multifactor authentication.', 400, { claims });
  }
  if (subject.sub === 'has-not-consented')
    return aadsts(65001, 'invalid_grant', 'The user or administrator has not consented.', 400, {
      suberror: 'consent_required',
    });
  if (form.get('scope') !== GRAPH_SCOPE)
    return aadsts(70011, 'invalid_scope', "The provided value for 'scope' is not valid.");
  return undefined;
};

/** An error as Entra's documentation shows it. */
function aadsts(code: number, error: string, text: string, status = 400, more: Json = {}): Refused {
  const ids = {
    trace_id: '0000aaaa-11bb-cccc-dd22-eeeeee333333',
    correlation_id: 'aaaa0000-bb11-2222-33cc-444444dddddd',
  };
  const time = '2017-05-01 22:43:20Z';
  const description = `AADSTS${code}: ${text}\r\nTrace ID: ${ids.trace_id}\r\nCorrelation ID: ${ids.correlation_id}\r\nTimestamp: ${time}`;
  return refused(error, description, status, { error_codes: [code], timestamp: time, ...ids, ...more });
}

/** The requests that each kind of token endpoint refuses. */
export const EXCHANGE_RULES: Record<ExchangeKind, Rule> = { 'RFC 8693': tokenExchange, Entra: onBehalfOf };
