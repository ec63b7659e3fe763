import { setTimeout as delay } from 'node:timers/promises';
import type { CallVariables } from '../../authorization/expressions/call-variables.js';
import { printable } from '../../core/printable.js';
import { createRareLine } from '../../core/rare-line.js';
import type { Logger } from '../../index.js';
import { openTelemetryApi } from '../../telemetry/opentelemetry/open-telemetry-api.js';
import { useTracer } from '../../telemetry/opentelemetry/start-telemetry.js';
import type { TracingConfig } from '../config/tracing.js';
import { atPlace } from '../startup-error.js';
import { attributesFrom, createCallSampler } from './call-sampler.js';
import { findNodeSdk, type NodeSdk, type NodeSdkPackages, type ResourceDetector } from './node-sdk.js';

/** Sends the spans of calls to a collector. */
export interface Tracing {
  /** Says where the spans go. */
  readonly note: string;
  start(): void;
  /** Sends the remaining spans. */
  stop(): Promise<void>;
}

/** The time in which the remaining spans must be sent at the end. */
const MAX_FLUSH_MS = 5_000;

/** @throws {StartupError} If a package is not installed, or not for this version of Node.js. */
export function createTracing(config: TracingConfig, logger: Logger): Tracing {
  const load = atPlace(config.at, () => findNodeSdk());
  let stop: (() => Promise<void>) | undefined;
  return {
    note: `${config.at}: spans of calls are sent to ${config.url}${config.randomSampling === 0 ? ONLY_CLIENTS : ''}`,
    start() {
      const report = reportTo(logger, config.at);
      const sdk = createSdk(config, load());
      sdk.start();
      const telemetry = useTracer(undefined, undefined, new Set(config.removed));
      stop = async () => {
        stop = undefined;
        telemetry.stop();
        unregister();
        const sent = sdk.shutdown().catch(({ message }: Error) => report(message));
        await Promise.race([sent, delay(MAX_FLUSH_MS, undefined, { ref: false })]);
      };
    },
    stop: async () => stop?.(),
  };
}

/** Removes what the SDK has registered for the whole process. */
function unregister(): void {
  const { trace, context, propagation } = openTelemetryApi();
  for (const part of [trace, context, propagation]) part.disable();
}

const ONLY_CLIENTS = ', for calls whose client has a trace. For others, set randomSampling';

function createSdk(config: TracingConfig, packages: NodeSdkPackages): NodeSdk {
  return packages.createSdk({
    sampler: createCallSampler(config),
    resourceDetectors: [DEFAULT_RESOURCE, packages.environment, resourceOf(config)],
    traceExporter: packages.createExporter(config),
    // Without these, the SDK sends logs and metrics to a collector on this machine.
    logRecordProcessors: [],
    metricReaders: [],
  });
}

const DEFAULT_RESOURCE: ResourceDetector = { detect: () => ({ attributes: { 'service.name': 'express-mcp-auth' } }) };

/** The expressions of resources read no variables. */
function resourceOf({ resources }: TracingConfig): ResourceDetector {
  return { detect: () => ({ attributes: attributesFrom(resources, {} as CallVariables) }) };
}

const MAX_MESSAGE = 300;

/** Logs the warnings and errors of the SDK, for example about a collector that cannot be reached: one line a minute. */
function reportTo(logger: Logger, place: string): (message: string) => void {
  const { diag, DiagLogLevel } = openTelemetryApi();
  const warn = createRareLine((line) => logger.warn(line));
  const report = (message: string) => warn(`${place}: ${printable(readable(message), MAX_MESSAGE)}`);
  const quiet = () => undefined;
  const levels = { error: report, warn: report, info: quiet, debug: quiet, verbose: quiet };
  diag.setLogger(levels, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  return report;
}

/** The SDK writes an error as JSON. */
function readable(message: string): string {
  try {
    const { message: text } = JSON.parse(message) as { readonly message?: unknown };
    return typeof text === 'string' && text !== '' ? text : message;
  } catch {
    // Other messages are plain text.
    return message;
  }
}
