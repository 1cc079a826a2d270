// The frame of our webviews: a page that runs nothing but our script, asks no network for anything, and takes its looks from the
// editor's theme. Pure.

import { html, Markup } from "../../core/report/markup.js";

export interface WebviewPage {
  locale: string;
  title: string;
  subtitle: string;
  nonce: string;
  /** URIs that the webview may load from, as the editor writes them. */
  resources: { source: string; style: string; script: string };
  /** In the page's head, at the right. */
  buttons: readonly { action: string; label: string; isPrimary?: boolean }[];
  /** Where it begins; later contents are sent. */
  content: Markup;
  words: { skip: string; actions: string };
  /** Handed to the one who shows it again after the window was loaded anew. Default: it is not shown again. */
  state?: Record<string, string>;
}

export function webviewPage(page: WebviewPage): string {
  const { locale, title, subtitle, nonce, resources, buttons, content, words, state } = page;
  const { source, style, script } = resources;
  const policy = `default-src 'none'; style-src ${source}; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
  const items = buttons.map(
    ({ action, label, isPrimary }) =>
      html`<button type="button" class="${isPrimary ? "primary" : "secondary"}" data-action="${action}">${label}</button>`,
  );
  const kept = state === undefined ? Markup.empty : html` data-state="${JSON.stringify(state)}"`;
  const body = html`<body${kept}>
<a class="skip" href="#content">${words.skip}</a>
<header><div><h1>${title}</h1><p class="quiet">${subtitle}</p></div><div class="buttons" role="group" aria-label="${words.actions}">${items}</div></header>
<main><p id="status" role="status" aria-live="polite"></p>
<p id="trouble" class="note bad" role="alert" hidden></p>
<div id="content" tabindex="-1">${content}</div></main>
<script nonce="${nonce}" src="${script}"></script>
</body>`;
  return html`${Markup.constant("<!DOCTYPE html>")}
<html lang="${locale}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${title}</title><link rel="stylesheet" href="${style}"></head>
${body}</html>`.source;
}
