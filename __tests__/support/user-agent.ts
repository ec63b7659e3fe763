interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly host: string;
  readonly path: string;
}

/** A page and its address. */
export interface Page {
  readonly url: URL;
  readonly response: Response;
  readonly html: string;
}

/** Fills in a form as a person does: returns the fields and the button to press, or undefined to leave the page as it is. */
export type FillIn = (fields: Record<string, string>, page: Page) => Record<string, string> | undefined;

const MAX_STEPS = 20;

/** The part of a browser that a login needs: cookies by host (not by port, as in browsers) and path, redirects, forms. */
export class UserAgent {
  readonly #cookies = new Map<string, Cookie>();
  /** Every address that was visited, in order. */
  readonly visited: string[] = [];

  /** Follows redirects and sends forms until an address is the goal, or a page has no form to fill in. */
  async visit(address: string | URL, fillIn: FillIn, isGoal: (url: URL) => boolean): Promise<URL | Page> {
    let next: { url: URL; init?: RequestInit } = { url: new URL(address) };
    for (let step = 0; step < MAX_STEPS; step++) {
      if (isGoal(next.url)) return next.url;
      const page = await this.load(next.url, next.init);
      const location = page.response.headers.get('location');
      if (location !== null) next = { url: new URL(location, page.url) };
      else {
        const submitted = submit(page, fillIn);
        if (submitted === undefined) return page;
        next = submitted;
      }
    }
    throw new Error(`more than ${MAX_STEPS} steps: ${this.visited.join('\n')}`);
  }

  async load(url: URL, init: RequestInit = {}): Promise<Page> {
    this.visited.push(url.href);
    const cookie = [...this.#cookies.values()]
      .filter(({ host, path }) => host === url.hostname && url.pathname.startsWith(path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const headers = new Headers(init.headers);
    headers.set('accept', 'text/html');
    if (cookie !== '') headers.set('cookie', cookie);
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) this.#keep(url, line);
    return { url, response, html: await response.text() };
  }

  #keep(url: URL, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice('path='.length) ?? '/';
    const [name = '', value = ''] = pair.split(/=(.*)/s, 2);
    const key = `${url.hostname} ${path} ${name}`;
    if (value === '') this.#cookies.delete(key);
    else this.#cookies.set(key, { name, value, host: url.hostname, path });
  }
}

function submit(page: Page, fillIn: FillIn): { url: URL; init: RequestInit } | undefined {
  const form = /<form\b[^>]*>([\s\S]*?)<\/form>/i.exec(page.html);
  if (form === null) return undefined;
  const fields: Record<string, string> = {};
  for (const [tag] of (form[1] ?? '').matchAll(/<input\b[^>]*>/gi)) {
    const name = attribute(tag, 'name');
    if (name !== undefined) fields[name] = attribute(tag, 'value') ?? '';
  }
  const filled = fillIn(fields, page);
  if (filled === undefined) return undefined;
  const action = attribute(form[0].slice(0, form[0].indexOf('>')), 'action') ?? page.url.href;
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = new URLSearchParams({ ...fields, ...filled }).toString();
  return { url: new URL(action, page.url), init: { method: 'POST', headers, body } };
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\b${name}="([^"]*)"`, 'i').exec(tag)?.[1];
  return value
    ?.replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
}
