import type { ErrorOut, KoaContextWithOIDC, Provider } from 'oidc-provider';
import { escapeHtml } from '../../http/html.js';
import { replyPage } from '../../http/page.js';
import type { Logger } from '../../index.js';

/** The way to make each client forget a server. */
const FORGET = [
  ['Claude Code', '/mcp, then the server, then “Clear authentication”'],
  ['Codex', 'codex mcp logout NAME'],
  ['MCP Inspector', '“Clear OAuth State”'],
  ['mcp-remote', 'delete the folder ~/.mcp-auth'],
  ['VS Code', '“Authentication: Remove Dynamic Authentication Providers”'],
  ['any other', 'remove the server, and add it again'],
] as const;

const AGAIN = '<p>Go back to your MCP client and connect again.</p>';

/** Shows why a login failed. The page of oidc-provider would load a font from another host. */
export function renderErrorPage(ctx: KoaContextWithOIDC, { error, error_description }: ErrorOut): void {
  // Keeps Koa from writing its own answer after this one.
  ctx.respond = false;
  const reason = `${error}: ${error_description ?? 'no details are known'}`;
  const help = error === 'invalid_client' ? unknownClient() : AGAIN;
  replyPage(ctx.res, ctx.status, 'This login cannot continue', `<p>${escapeHtml(reason)}.</p>${help}`);
}

function unknownClient(): string {
  const rows = FORGET.map(([client, how]) => `<dt>${client}</dt><dd>${how}</dd>`).join('');
  return `<p>This issuer does not know the client that sent you here. The client kept a registration from another server, or from
before the keys of this issuer were deleted. Make the client forget this server, then connect again:</p><dl>${rows}</dl>`;
}

const UNKNOWN_CLIENT =
  'The client is not registered here, or its secret is wrong; the client must forget this server and register again';

/** Adds advice to each `invalid_client` answer, and logs every refusal. */
export function explainErrors(provider: Provider, logger: Logger): void {
  provider.use(async (ctx, next) => {
    await next();
    const body = ctx.body as { error?: string; error_description?: string } | null | undefined;
    if (body?.error === 'invalid_client') body.error_description = UNKNOWN_CLIENT;
  });
  const warn = (what: string) => (ctx: KoaContextWithOIDC, error: Error) =>
    logger.warn(lineFor(what, ctx.oidc?.client?.clientName, error));
  provider.on('authorization.error', warn('a login'));
  provider.on('grant.error', warn('a token'));
  provider.on('registration_create.error', warn('a registration'));
}

const MAX_LINE = 400;

function lineFor(what: string, clientName: string | undefined, error: Error): string {
  const { message, error_description: reason = 'no details are known' } = error as {
    error_description?: string;
  } & Error;
  const client = clientName === undefined ? '' : ` for the client ${JSON.stringify(clientName)}`;
  const fix = message === 'invalid_client' ? '. Make the client forget this server, then connect again' : '';
  const line = `the development issuer refused ${what}${client}: ${message}: ${reason}${fix}`;
  // The client chooses its name and may choose text in the reason, so neither may contain control characters.
  return line.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_LINE);
}
