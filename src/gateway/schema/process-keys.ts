import { either, listOf, type Members, membersOf, oneOfWords, TEXT } from '../../options/value-type.js';
import { REDIS_STORE_TABLE } from '../../store/redis-store.js';
import { DEFAULT_ADMIN, PROCESS_DEFAULTS } from '../config/process-settings.js';
import { LOG_DEFAULTS, LOG_FORMATS, LOG_LEVELS } from '../log-settings.js';
import { PROCESS_TRACING } from './frontend-keys.js';
import { SECRET, TIME } from './value-forms.js';

/** `config.session`. */
export const SESSION = {
  key: { type: either(SECRET, listOf(SECRET, 1)), isRequired: true },
} as const satisfies Members;

/** `config.store`. */
export const STORE = {
  redis: { type: SECRET, isRequired: true },
  prefix: { type: TEXT, default: REDIS_STORE_TABLE.prefix.default },
} as const satisfies Members;

/** `config.logging`. */
export const LOGGING = {
  format: { type: oneOfWords(LOG_FORMATS), default: LOG_DEFAULTS.format },
  level: { type: oneOfWords(LOG_LEVELS), default: LOG_DEFAULTS.level },
} as const satisfies Members;

const { drainSeconds, minDrainSeconds, keepAliveSeconds, headersSeconds, requestSeconds } = PROCESS_DEFAULTS;

/** The keys of the section `config` for the whole process. */
export const PROCESS = {
  adminAddr: { type: TEXT, default: `${DEFAULT_ADMIN.host}:${DEFAULT_ADMIN.port}` },
  adminPassword: { type: SECRET, otherwise: 'none: the page is for this machine only' },
  readinessAddr: { type: TEXT, otherwise: 'none' },
  statsAddr: { type: TEXT, otherwise: 'none' },
  connectionTerminationDeadline: { type: TIME, default: `${drainSeconds}s` },
  connectionMinTerminationDeadline: { type: TIME, default: `${minDrainSeconds}s` },
  keepAliveTimeout: { type: TIME, default: `${keepAliveSeconds}s` },
  headersTimeout: { type: TIME, default: `${headersSeconds}s` },
  requestTimeout: { type: TIME, default: `${requestSeconds}s` },
  logging: { type: membersOf('config.logging', LOGGING) },
  session: { type: membersOf('config.session', SESSION), otherwise: 'none' },
  store: { type: membersOf('config.store', STORE), otherwise: 'none' },
  tracing: { type: membersOf('config.tracing', PROCESS_TRACING), otherwise: 'no traces' },
} as const satisfies Members;
