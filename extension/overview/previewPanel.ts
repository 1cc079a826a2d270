// What prune or gc would do, in a tab with the button that does it. A tab shows one plan; a plan is applied once.

import { randomBytes } from "node:crypto";
import { env, l10n, type Uri, ViewColumn, window } from "vscode";
import type { Markup } from "../../core/report/markup.js";
import { readMessage, resourcesOf, webviewOptions } from "./webviewMessages.js";
import { webviewPage } from "./webviewPage.js";

export interface Preview {
  title: string;
  subtitle: string;
  content: Markup;
  /** What the button says; null: there is nothing to do. */
  apply: string | null;
  /** True: it was done, and the tab closes. */
  onApply(): Promise<boolean>;
}

export function showPreview(extensionUri: Uri, preview: Preview): void {
  const { title, subtitle, content, apply, onApply } = preview;
  const panel = window.createWebviewPanel("reprise.preview", title, ViewColumn.Active, webviewOptions(extensionUri));
  let busy = false;
  panel.webview.onDidReceiveMessage(async (given: unknown) => {
    const message = readMessage(given);
    if (message?.kind !== "action") return;
    if (message.action === "close") panel.dispose();
    if (message.action !== "apply" || busy) return;
    busy = true;
    try {
      if (await onApply()) panel.dispose();
    } finally {
      busy = false;
    }
  });
  panel.webview.html = webviewPage({
    locale: env.language,
    title,
    subtitle,
    nonce: randomBytes(18).toString("base64url"),
    resources: resourcesOf(panel.webview, extensionUri),
    buttons: [
      ...(apply === null ? [] : [{ action: "apply", label: apply, isPrimary: true }]),
      { action: "close", label: l10n.t("Close") },
    ],
    content,
    words: { skip: l10n.t("Skip to the contents"), actions: l10n.t("Actions") },
  });
}
