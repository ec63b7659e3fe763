import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withSentence } from '../core/sentences.js';
import { runDoctor } from '../doctor/doctor.js';
import { resolveAdminPassword } from './admin/admin-password.js';
import { openAdminServers } from './admin/admin-servers.js';
import { createAdminUi, type UiSettings } from './admin/admin-ui.js';
import {
  type Command,
  DOCTOR_USAGE,
  parseCommandLine,
  parseDoctorLine,
  type RunCommand,
  USAGE,
} from './command-line.js';
import { requireIssuers, resourcesOf, withDevIssuer } from './config/dev-issuer-policies.js';
import type { GatewayConfig } from './config/gateway-config.js';
import { type DevIssuer, type DevIssuerIdentity, devIssuerStandIn, startDevIssuer } from './dev-issuer/dev-issuer.js';
import { loadOidcProvider } from './dev-issuer/load-oidc-provider.js';
import { findForeignAddress } from './find-foreign-address.js';
import { createGateway, type Gateway } from './gateway.js';
import { warningsOfIneffectiveParts } from './ineffective-parts.js';
import { runInitCommand } from './init-command.js';
import { KEY_USAGE, runKeyCommand } from './key-command.js';
import { type LoadedConfig, loadConfig } from './load-config.js';
import { createLogOutput, type LogStreams } from './log-output.js';
import { warningsOfMissingPrograms } from './missing-programs.js';
import type { ReloadSignals } from './reload/reload-signal.js';
import { Reloader } from './reload/reloader.js';
import { RULES_FAILED, runRulesCommand } from './rules-command.js';
import { refuseSameAddresses } from './same-addresses.js';
import { runSchemaCommand } from './schema-command.js';
import { shutDown } from './shut-down.js';
import { failureText, StartupError } from './startup-error.js';
import { onStopSignal } from './stop-signal.js';

/** Replaces the values of variables in the lines of a start, a check or a reload: they may be secrets. */
let conceal = (line: string): string => line;

const STREAMS: LogStreams = { out: (line) => console.log(line), err: (line) => console.error(conceal(line)) };

function concealing<T>(by: LoadedConfig['conceal'], run: () => T): T {
  conceal = by;
  try {
    return run();
  } finally {
    conceal = (line) => line;
  }
}

let { logger, fail, succeed } = createLogOutput({}, STREAMS);

async function main(command: Command, reloadSignals: ReloadSignals): Promise<void> {
  if (command.action !== 'run') reloadSignals.release();
  if (command.action === 'help') return console.log(USAGE);
  if (command.action === 'version') return console.log(version());
  const { env } = process;
  ({ logger, fail, succeed } = createLogOutput(command.logging, STREAMS));
  const loaded = loadConfig(command.file, { env, ignored: command.ignored, process: command.process });
  ({ logger, fail, succeed } = createLogOutput({ ...loaded.config.logging, ...command.logging }, STREAMS));
  loaded.step(() => refuseSameAddresses(loaded.config, command));
  if (command.devIssuer === undefined) loaded.step(() => requireIssuers(loaded.config, 'start with --dev-issuer'));
  conceal = loaded.conceal;
  if (command.action === 'validate') return validate(command, loaded);
  await run(command, loaded, reloadSignals);
}

async function validate(command: RunCommand, loaded: LoadedConfig): Promise<void> {
  const { devIssuer, file, isOnline } = command;
  if (isOnline) await requireParts(command, loaded);
  else loaded.files.tolerate((message) => logger.warn(withSentence(message, 'The command would not start')));
  const served = devIssuer ? configWithDevIssuer(loaded, devIssuerStandIn(devIssuer.port)) : loaded.config;
  passwordOf(loaded);
  const gateway = openGateway(command, loaded, served);
  const faults = isOnline ? await gateway.findFaults() : [];
  await gateway.close();
  for (const fault of faults) logger.error(fault);
  if (faults.length === 0) succeed(`${file} is valid`);
  else throw new StartupError(`${file}: not all of the servers that it names can be used from here`);
}

/** Refuses what only the machine of the command can tell. */
async function requireParts(command: RunCommand, { config, step }: LoadedConfig): Promise<void> {
  if (command.devIssuer !== undefined) await loadOidcProvider(logger);
  const foreign = await findForeignAddress(config, command);
  step(() => {
    if (foreign !== undefined) throw new StartupError(foreign);
  });
}

async function doctor(args: readonly string[]): Promise<void> {
  const options = parseDoctorLine(args);
  if (options === undefined) return console.log(DOCTOR_USAGE);
  const { stdout, env } = process;
  const isTerminal = stdout.isTTY === true && !options.json;
  const hasColours = isTerminal && (env.NO_COLOR ?? '') === '';
  const screen = { isTerminal, hasColours, write: (text: string) => void stdout.write(text) };
  if (!(await runDoctor(options, screen))) process.exitCode = 1;
}

function rules(args: readonly string[]): void {
  const { env } = process;
  const { lines, isAllowed } = runRulesCommand(args, env);
  for (const line of lines) console.log(line);
  if (!isAllowed) process.exitCode = 1;
}

function createKey(args: readonly string[]): void {
  const created = runKeyCommand(args);
  if (created === undefined) {
    console.log(KEY_USAGE);
    return;
  }
  console.log(created.key);
  console.log(JSON.stringify(created.entry));
  console.error(
    'The first line is the key: give it to the client, it is shown only now. The second line is its entry for apiKeys.',
  );
}

function openGateway({ host, logging }: RunCommand, { step, files }: LoadedConfig, config: GatewayConfig): Gateway {
  const gateway = step(() => createGateway(config, logger, files));
  const ofFile = [...warningsOfMissingPrograms(config), ...warningsOfIneffectiveParts(config, logging)];
  for (const warning of [...ofFile, ...gateway.warningsFor(host)]) logger.warn(warning);
  return gateway;
}

function passwordOf({ step, files, config }: LoadedConfig): string | undefined {
  return step(() => resolveAdminPassword(config.process.adminPassword, files));
}

/** The development issuer keeps its keys in this file. */
const DEV_ISSUER_FILE = '.dev-issuer.json';

function configWithDevIssuer({ config, step }: LoadedConfig, devIssuer: DevIssuerIdentity): GatewayConfig {
  return step(() => withDevIssuer(config, devIssuer));
}

async function openDevIssuer(
  { file, devIssuer }: RunCommand,
  { config, step }: LoadedConfig,
): Promise<DevIssuer | undefined> {
  if (devIssuer === undefined) return undefined;
  const resources = step(() => resourcesOf(config));
  return await startDevIssuer({ ...devIssuer, resources, stateFile: join(dirname(file), DEV_ISSUER_FILE), logger });
}

async function run(command: RunCommand, loaded: LoadedConfig, reloadSignals: ReloadSignals): Promise<void> {
  const devIssuer = await openDevIssuer(command, loaded);
  try {
    const served = devIssuer === undefined ? loaded.config : configWithDevIssuer(loaded, devIssuer);
    const ui = { password: passwordOf(loaded), devIssuer };
    const gateway = openGateway(command, loaded, served);
    const { addresses, admin } = await openAll(command, gateway, served, ui);
    conceal = (line) => line;
    const reloader = new Reloader({ command, gateway, devIssuer, logger, env: process.env, concealing }, loaded);
    onStopSignal(() => void shutDown({ gateway, admin, devIssuer, reloader }));
    reloadSignals.use(() => reloader.reload(true));
    if (devIssuer !== undefined)
      logger.warn(`${devIssuer.issuer} lets anyone log in with one click: FOR DEVELOPMENT ONLY`);
    for (const address of addresses) logger.info(`Listening on ${address}`);
    for (const note of admin.notes) logger.info(note);
    for (const address of gateway.clientAddresses) logger.info(`Add ${address} to your MCP client`);
    for (const note of gateway.notes) logger.info(note);
  } catch (error) {
    await devIssuer?.close();
    throw error;
  }
}

async function openAll({ host }: RunCommand, gateway: Gateway, config: GatewayConfig, ui: UiSettings) {
  try {
    return {
      addresses: await gateway.listen(host),
      admin: await openAdminServers(config.process, gateway, logger, () => createAdminUi(gateway, ui, logger)),
    };
  } catch (error) {
    await gateway.close();
    throw error;
  }
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Runs the command with the arguments of this process. */
export async function runCommandLine(reloadSignals: ReloadSignals): Promise<void> {
  // The reader of our output may close the pipe (`| head`). The gateway keeps running.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const args = process.argv.slice(2);
  // doctor, rules and the like have nothing to reload.
  if (args[0]?.startsWith('-') !== true) reloadSignals.release();
  try {
    if (args[0] === 'doctor') await doctor(args.slice(1));
    else if (args[0] === 'rules') rules(args.slice(1));
    else if (args[0] === 'init') console.log(runInitCommand(args.slice(1)));
    else if (args[0] === 'key') createKey(args.slice(1));
    else if (args[0] === 'schema')
      console.log(runSchemaCommand(args.slice(1), new URL('../../docs/', import.meta.url)));
    else await main(parseCommandLine(args), reloadSignals);
  } catch (error) {
    fail(failureText(error));
    process.exitCode = args[0] === 'rules' ? RULES_FAILED : 1;
  }
}
