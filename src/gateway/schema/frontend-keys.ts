import { ANY, listOf, type Members, membersOf, oneOfWords, recordOf, TEXT } from '../../options/value-type.js';

export const OTLP_PROTOCOLS = ['grpc', 'http'] as const;

/** The path of OTLP over HTTP (OTLP specification). */
const OTLP_PATH = { type: TEXT, default: '/v1/traces' } as const;
const PROTOCOL = { type: oneOfWords(OTLP_PROTOCOLS), default: 'grpc' } as const;
const EXPRESSIONS = recordOf(TEXT);

/** The calls that get spans: true, false, a number from 0 to 1, or an expression. */
const SAMPLING = {
  randomSampling: { type: ANY, default: false },
  clientSampling: { type: ANY, default: true },
} as const satisfies Members;

/** `frontendPolicies.tracing`. */
export const TRACING = {
  host: { type: TEXT, isRequired: true },
  protocol: PROTOCOL,
  path: OTLP_PATH,
  attributes: { type: EXPRESSIONS, otherwise: 'none' },
  resources: { type: EXPRESSIONS, otherwise: 'none' },
  remove: { type: listOf(TEXT), otherwise: 'none' },
  filter: { type: TEXT, otherwise: 'every call' },
  ...SAMPLING,
} as const satisfies Members;

/** The attributes in `config.tracing`. */
export const TRACING_FIELDS = {
  add: { type: EXPRESSIONS, otherwise: 'none' },
  remove: { type: listOf(TEXT), otherwise: 'none' },
} as const satisfies Members;

/** `config.tracing`. */
export const PROCESS_TRACING = {
  otlpEndpoint: { type: TEXT, isRequired: true },
  otlpProtocol: PROTOCOL,
  path: OTLP_PATH,
  headers: { type: recordOf(TEXT), otherwise: 'none' },
  fields: { type: membersOf('config.tracing.fields', TRACING_FIELDS), otherwise: 'none' },
  ...SAMPLING,
} as const satisfies Members;

/** `frontendPolicies.accessLog`. */
export const ACCESS_LOG = {
  filter: { type: TEXT, otherwise: 'every call' },
  add: { type: EXPRESSIONS, otherwise: 'none' },
  remove: { type: listOf(TEXT), otherwise: 'none' },
} as const satisfies Members;

const ACCESS_LOG_MEMBERS = membersOf('frontendPolicies.accessLog', ACCESS_LOG);

/** The section `frontendPolicies`. */
export const FRONTEND_POLICIES = {
  accessLog: { type: ACCESS_LOG_MEMBERS, otherwise: 'no access log' },
  logging: { type: ACCESS_LOG_MEMBERS, otherwise: 'no access log' },
  tracing: { type: membersOf('frontendPolicies.tracing', TRACING), otherwise: 'no traces' },
} as const satisfies Members;
