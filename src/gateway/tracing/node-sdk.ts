import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { TracingConfig } from '../config/tracing.js';
import { StartupError } from '../startup-error.js';
import type { CallSampler } from './call-sampler.js';

/** The attributes that a detector finds. */
export interface ResourceDetector {
  detect(): { readonly attributes?: Readonly<Record<string, unknown>> };
}

/** The settings of the SDK that both of its lines have, 0.2xx for Node.js 20 and 0.3xx for later ones. */
export interface SdkSettings {
  readonly sampler: CallSampler;
  readonly resourceDetectors: readonly ResourceDetector[];
  readonly traceExporter: unknown;
  readonly logRecordProcessors: readonly never[];
  readonly metricReaders: readonly never[];
}

/** The SDK, which exports spans once it is started. */
export interface NodeSdk {
  start(): void;
  shutdown(): Promise<void>;
}

/** The packages of OpenTelemetry that the command uses. */
export interface NodeSdkPackages {
  createSdk(settings: SdkSettings): NodeSdk;
  createExporter(config: Pick<TracingConfig, 'protocol' | 'url' | 'headers'>): unknown;
  /** Finds the attributes in the environment variables `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`. */
  readonly environment: ResourceDetector;
}

const NAME = '@opentelemetry/sdk-node';
const INSTALL = `npm install ${NAME} @opentelemetry/api`;
/** The last line for Node.js 20. */
const LINE_FOR_NODE_20 = `${NAME}@0.223`;

/**
 * Finds the SDK, and checks that it is for this version of Node.js.
 *
 * @returns A function that loads it, which takes some 0.3 seconds.
 * @throws {StartupError} If a package is not installed, or needs another Node.js.
 */
export function findNodeSdk(node = process.versions.node): () => NodeSdkPackages {
  const { resolve } = createRequire(import.meta.url);
  const main = [NAME, '@opentelemetry/api'].map((name) => resolveOr(resolve, name))[0] as string;
  const { version, engines } = manifestAbove(main);
  if (!isAtLeast(node, engines?.node)) {
    const advice = `use a later Node.js, or npm install ${LINE_FOR_NODE_20}`;
    throw new StartupError(`${NAME} ${version} needs Node.js ${engines?.node}, and this is Node.js ${node}: ${advice}`);
  }
  return () => loadFrom(main);
}

function resolveOr(resolve: NodeJS.RequireResolve, name: string): string {
  try {
    return resolve(name);
  } catch (cause) {
    throw new StartupError(`needs the package ${name}: ${INSTALL}`, { cause });
  }
}

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly engines?: { readonly node?: string };
}

/** Finds the package.json, which the package does not export, in the folders above a file. */
function manifestAbove(file: string): Manifest {
  const folder = dirname(file);
  try {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
    if (manifest.name === NAME) return manifest;
  } catch {
    // This folder of the package has no package.json.
  }
  return folder === file ? {} : manifestAbove(folder);
}

/** `range` is such as `>=22.15.0` or `^18.19.0 || >=20.6.0`. */
function isAtLeast(node: string, range = ''): boolean {
  const least = /.*>=(\d+)\.(\d+)/.exec(range)?.slice(1).map(Number);
  if (least === undefined) return true;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = least;
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** The other packages are loaded as dependencies of the SDK, because some package managers show them to the SDK alone. */
function loadFrom(main: string): NodeSdkPackages {
  const require = createRequire(main);
  const { NodeSDK } = require(NAME) as { NodeSDK: new (settings: SdkSettings) => NodeSdk };
  const { envDetector } = require('@opentelemetry/resources') as { envDetector: ResourceDetector };
  return {
    createSdk: (settings) => new NodeSDK(settings),
    createExporter: ({ protocol, url, headers }) =>
      protocol === 'http' ? createHttpExporter(require, { url, headers }) : createGrpcExporter(require, url, headers),
    environment: envDetector,
  };
}

type Exporters = { readonly OTLPTraceExporter: new (settings: object) => unknown };

function createHttpExporter(require: NodeJS.Require, settings: object): unknown {
  const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto') as Exporters;
  return new OTLPTraceExporter(settings);
}

interface Metadata {
  set(name: string, value: string): void;
}

function createGrpcExporter(require: NodeJS.Require, url: string, headers: Readonly<Record<string, string>>): unknown {
  const exporter = '@opentelemetry/exporter-trace-otlp-grpc';
  const { OTLPTraceExporter } = require(exporter) as Exporters;
  const ofExporter = createRequire(require.resolve(exporter));
  const ofBase = createRequire(ofExporter.resolve('@opentelemetry/otlp-grpc-exporter-base'));
  const grpc = ofBase('@grpc/grpc-js') as { readonly Metadata: new () => Metadata };
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return new OTLPTraceExporter({ url, metadata });
}
