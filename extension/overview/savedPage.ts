// The overview as a file that needs nothing else: no script, no request, the same contents and looks. Pure but for the digest.

import { createHash } from "node:crypto";
import { html, Markup } from "../../core/report/markup.js";

export interface SavedPage {
  locale: string;
  title: string;
  subtitle: string;
  /** Of what moment it tells. */
  status: string;
  content: Markup;
  /** media/webview.css: its colours are those of the editor's theme, which are given here. */
  style: string;
}

/** What the style sheet asks the editor's theme for; every pair has a contrast of 4.5 or more. */
const LIGHT: Record<string, string> = {
  ...{ foreground: "#1f2328", descriptionForeground: "#57606a", "editor-background": "#ffffff" },
  ...{ "editorWidget-background": "#ffffff", "widget-border": "#d0d7de", "textLink-foreground": "#0550ae" },
  ...{ "charts-green": "#1a7f37", "charts-blue": "#0969da", "charts-purple": "#6639ba", "charts-lines": "#8c959f" },
  ...{ errorForeground: "#b3202c", "editorWarning-foreground": "#8a5a00", focusBorder: "#0969da" },
  "list-hoverBackground": "transparent",
};
const DARK: Record<string, string> = {
  ...{ foreground: "#e6edf3", descriptionForeground: "#9da7b3", "editor-background": "#0d1117" },
  ...{ "editorWidget-background": "#161b22", "widget-border": "#30363d", "textLink-foreground": "#79c0ff" },
  ...{ "charts-green": "#56d364", "charts-blue": "#58a6ff", "charts-purple": "#bc8cff", "charts-lines": "#6e7681" },
  ...{ errorForeground: "#ff7b72", "editorWarning-foreground": "#e3b341", focusBorder: "#58a6ff" },
  "list-hoverBackground": "transparent",
};

export function savedPage({ locale, title, subtitle, status, content, style }: SavedPage): string {
  const sheet = `:root{color-scheme:light dark;--vscode-font-size:14px;${declarations(LIGHT)}}
@media (prefers-color-scheme:dark){:root{${declarations(DARK)}}}
@media print{:root{color-scheme:light;${declarations(LIGHT)}}}
${style}`;
  const digest = createHash("sha256").update(sheet).digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`;
  return html`${Markup.constant("<!DOCTYPE html>")}
<html lang="${locale}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${Markup.constant(policy)}">
<meta name="referrer" content="no-referrer">
<title>${title}</title><style>${Markup.constant(sheet)}</style></head>
<body class="saved">
<header><div><h1>${title}</h1><p class="quiet">${subtitle}</p></div></header>
<main><p id="status">${status}</p>
${content}</main>
</body></html>
`.source;
}

function declarations(colours: Record<string, string>): string {
  return Object.entries(colours)
    .map(([name, value]) => `--vscode-${name}:${value}`)
    .join(";");
}
