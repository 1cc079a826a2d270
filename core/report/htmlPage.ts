// The frame of every HTML report, one file that needs nothing else: no script, no request, pictures inside. The page may show its own
// pictures and its own style sheet, by its digest, and nothing besides.

import { createHash } from "node:crypto";
import { html, Markup } from "./markup.js";
import { pageAddress } from "./pageAddress.js";
import { REPORT_STYLE } from "./reportStyle.js";

/** Beside the word, for those who do not see the colour. */
const SIGNS: Record<string, string> = {
  passed: "✓",
  warned: "!",
  failed: "✗",
  inconclusive: "?",
  skipped: "–",
  cancelled: "■",
};
const PNG_SIGNATURE = "iVBORw0KGgo";
const MAX_PICTURE_CHARS = 12 * 1024 * 1024;

/** A whole page. */
export function htmlPage(title: string, body: Markup): string {
  const digest = createHash("sha256").update(REPORT_STYLE).digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${digest}'; img-src data:; base-uri 'none'; form-action 'none'`;
  const style = Markup.constant(`<style>${REPORT_STYLE}</style>`);
  return html`${Markup.constant("<!doctype html>\n")}<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${Markup.constant(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
${style}
</head>
<body>
${body}
</body>
</html>
`.source;
}

/** `kind`: one of the outcomes, which give colour and sign. */
export function badge(kind: string, size = "", word = kind): Markup {
  return html`<span class="badge ${kind} ${size}"><span aria-hidden="true">${SIGNS[kind] ?? ""}</span>${word}</span>`;
}

export function section(title: string, content: Markup): Markup {
  return html`<section><h2>${title}</h2>${content}</section>
`;
}

/** A link only where a browser can do nothing but open a page; else the address as text. */
export function pageLink(url: string, words: string): Markup {
  const href = pageAddress(url);
  return href === null ? html`${url}` : html`<a href="${href}" rel="noopener noreferrer">${words}</a>`;
}

/** Null when it is no PNG of a fair size, whatever it is called. */
export function pictureOf(pngBase64: string, alt: string): Markup | null {
  const isPng = pngBase64.startsWith(PNG_SIGNATURE) && pngBase64.length <= MAX_PICTURE_CHARS;
  if (!isPng || !/^[A-Za-z0-9+/]+={0,2}$/.test(pngBase64)) return null;
  return html`<img alt="${alt}" src="data:image/png;base64,${Markup.constant(pngBase64)}">`;
}
