// What prune or gc would do, in a tab with the button that does it. A tab shows one plan; a plan is applied once.

import { randomBytes } from "node:crypto";
import { env, l10n, type Uri, ViewColumn, type Webview, window } from "vscode";
import { html, type Markup } from "../../core/report/markup.js";
import { outdatedNote } from "./previewContent.js";
import { readMessage, resourcesOf, webviewOptions } from "./webviewMessages.js";
import { webviewPage } from "./webviewPage.js";

/** "outdated": what was shown is not what would be done now; nothing was changed. */
export type Outcome = "done" | "given up" | "outdated";

export interface Preview {
  title: string;
  subtitle: string;
  content: Markup;
  /** What the button says; null: there is nothing to do. */
  apply: string | null;
  /** Done: the tab closes. */
  onApply(): Promise<Outcome>;
  /** Shows a new one, of the same. */
  onAgain(): Promise<Outcome>;
}

export function showPreview(extensionUri: Uri, preview: Preview): void {
  const { title, onApply, onAgain } = preview;
  const panel = window.createWebviewPanel("reprise.preview", title, ViewColumn.Active, webviewOptions(extensionUri));
  let busy = false;
  let isOutdated = false;
  const act = async (action: string): Promise<Outcome> => {
    if (action === "apply" && !isOutdated) return await onApply();
    return action === "again" && isOutdated ? await onAgain() : "given up";
  };
  panel.webview.onDidReceiveMessage(async (given: unknown) => {
    const message = readMessage(given);
    if (message?.kind !== "action") return;
    if (message.action === "close") return panel.dispose();
    if (busy) return;
    busy = true;
    try {
      const outcome = await act(message.action);
      if (outcome === "done") panel.dispose();
      if (outcome !== "outdated") return;
      isOutdated = true;
      panel.webview.html = pageOf(panel.webview, extensionUri, preview, isOutdated);
    } finally {
      busy = false;
    }
  });
  panel.webview.html = pageOf(panel.webview, extensionUri, preview, isOutdated);
}

function pageOf(webview: Webview, extensionUri: Uri, preview: Preview, isOutdated: boolean): string {
  const { title, subtitle, content, apply } = preview;
  const again = { action: "again", label: l10n.t("Preview Again"), isPrimary: true };
  const first = isOutdated ? [again] : apply === null ? [] : [{ action: "apply", label: apply, isPrimary: true }];
  return webviewPage({
    locale: env.language,
    title,
    subtitle,
    nonce: randomBytes(18).toString("base64url"),
    resources: resourcesOf(webview, extensionUri),
    buttons: [...first, { action: "close", label: l10n.t("Close") }],
    content: isOutdated ? html`${outdatedNote(l10n.t)}${content}` : content,
    words: { skip: l10n.t("Skip to the contents"), actions: l10n.t("Actions") },
  });
}
