import { createCallersView } from './callers-view.js';
import { createConfigurationView } from './configuration-view.js';
import { element, setChildren } from './element.js';
import { KnownState } from './known-state.js';
import { LiveFeed } from './live-feed.js';
import { createLiveView } from './live-view.js';
import { createOverviewView } from './overview-view.js';
import { createRefusalAnnouncer } from './refusal-announcer.js';
import { createSessionsView } from './sessions-view.js';
import { statusLine } from './status-line.js';
import { createToolsView } from './tools-view.js';

/** @import { FeedState } from './live-feed.js' */
/** @import { View } from './page-types.js' */

const FEED_TEXTS = /** @type {const} */ ({
  connecting: ['quiet', 'Connecting…'],
  live: ['good', 'Live'],
  lost: ['bad', 'Connection lost.'],
});

const state = new KnownState();
const feed = new LiveFeed();
const main = element('main', { id: 'content' });
/** @type {Readonly<Record<string, View>>} */
const views = {
  overview: createOverviewView(state, feed),
  live: createLiveView(feed),
  sessions: createSessionsView(state),
  callers: createCallersView(state),
  tools: createToolsView(state),
  configuration: createConfigurationView(state),
};
const links = new Map(
  Object.entries(views).map(([name, { title, label = title }]) => [name, element('a', { href: `#/${name}` }, label)]),
);
/** @type {View | undefined} */
let current;

function showCurrentView() {
  const [, name = '', parameter = ''] = /^#\/([a-z]*)(?:\/(.*))?$/.exec(location.hash) ?? [];
  const shown = Object.hasOwn(views, name) ? name : 'overview';
  const view = views[shown];
  const isFirst = current === undefined;
  current?.hide?.();
  current = view;
  for (const [other, link] of links) {
    if (other === shown) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const heading = element('h1', { tabindex: -1 }, view?.title);
  document.title = `${view?.title} · express-mcp-auth`;
  setChildren(main, heading, view?.content);
  view?.show?.(decoded(parameter));
  if (!isFirst) heading.focus();
}

/** @param {string} parameter */
function decoded(parameter) {
  try {
    return decodeURIComponent(parameter);
  } catch {
    return '';
  }
}

function createHeader() {
  const connection = element('p', { class: 'connection', role: 'status' });
  const showState = () => {
    const [tone, text] = FEED_TEXTS[feed.state];
    connection.className = `connection ${tone}`;
    const why = feed.problem === '' ? text : feed.problem.replace(/\.?$/, '.');
    connection.textContent = feed.state === 'lost' ? `${why} Trying again…` : text;
  };
  showState();
  feed.addEventListener('state', showState);
  const navigation = element('nav', { 'aria-label': 'Views' }, ...links.values());
  return element('header', {}, element('p', { class: 'product' }, 'express-mcp-auth'), connection, navigation);
}

function createProblemBar() {
  const bar = element('p', { class: 'problem-bar', role: 'alert', hidden: true });
  state.addEventListener('change', () => {
    bar.hidden = state.problem === '';
    if (bar.textContent !== state.problem) bar.textContent = state.problem;
  });
  return bar;
}

document.body.append(createHeader(), createProblemBar(), main, statusLine, createRefusalAnnouncer(feed));
document.querySelector('.skip')?.addEventListener('click', (event) => {
  // Its address would replace that of the view.
  event.preventDefault();
  main.querySelector('h1')?.focus();
});
addEventListener('hashchange', showCurrentView);
showCurrentView();
feed.addEventListener('state', () => feed.state === 'live' && void state.refresh());
state.watch();
feed.connect();
