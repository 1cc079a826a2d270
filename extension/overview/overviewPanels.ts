// The overview of a repository as an editor tab: one for each repository, read by the service, with progress and cancel.

import { randomBytes } from "node:crypto";
import { type Disposable, env, l10n, type Uri, ViewColumn, type WebviewPanel, window } from "vscode";
import { html, Markup } from "../../core/report/markup.js";
import { isAbort } from "../adapt/cancellation.js";
import { errorText } from "../adapt/errors.js";
import { dateAndTime } from "../model/words.js";
import type { ConfiguredRepository } from "../repositories/configured.js";
import type { OpenRepositories } from "../repositories/openRepositories.js";
import type { ServiceClient } from "../service/client.js";
import type { ProgressData } from "../service/protocol.js";
import { overviewContent } from "./overviewContent.js";
import { readMessage, resourcesOf, webviewOptions } from "./webviewMessages.js";
import { webviewPage } from "./webviewPage.js";

export interface OverviewParts {
  client: ServiceClient;
  repositories: OpenRepositories;
  /** Of the installed extension. */
  extensionUri: Uri;
  /** Shows a machine in the Backups view. */
  reveal(configured: ConfiguredRepository, machine: string): Promise<void>;
}

export class OverviewPanels implements Disposable {
  readonly #parts: OverviewParts;
  readonly #open = new Map<string, OverviewPanel>();
  readonly #listener: Disposable;

  constructor(parts: OverviewParts) {
    this.#parts = parts;
    this.#listener = parts.repositories.onDidChangeContents((location) => this.#open.get(location)?.refresh());
  }

  show(configured: ConfiguredRepository): void {
    const known = this.#open.get(configured.location);
    if (known !== undefined) {
      known.reveal();
      return;
    }
    const panel = new OverviewPanel(configured, this.#parts, () => this.#open.delete(configured.location));
    this.#open.set(configured.location, panel);
  }

  dispose(): void {
    this.#listener.dispose();
    for (const panel of [...this.#open.values()]) panel.dispose();
  }
}

class OverviewPanel {
  readonly #configured: ConfiguredRepository;
  readonly #parts: OverviewParts;
  readonly #panel: WebviewPanel;
  #reading: AbortController | undefined;
  #isOld = false;

  constructor(configured: ConfiguredRepository, parts: OverviewParts, onClosed: () => void) {
    this.#configured = configured;
    this.#parts = parts;
    const title = l10n.t("Overview: {0}", configured.name);
    this.#panel = window.createWebviewPanel(
      "reprise.overview",
      title,
      ViewColumn.Active,
      webviewOptions(parts.extensionUri),
    );
    this.#panel.onDidDispose(() => {
      this.#reading?.abort();
      onClosed();
    });
    this.#panel.onDidChangeViewState(() => this.#isOld && this.refresh());
    this.#panel.webview.onDidReceiveMessage((message: unknown) => this.#receive(message));
    this.#panel.webview.html = this.#page();
  }

  reveal(): void {
    this.#panel.reveal();
  }

  /** Now, or when it is looked at again. */
  refresh(): void {
    this.#isOld = !this.#panel.visible;
    if (!this.#isOld) void this.#refresh();
  }

  dispose(): void {
    this.#panel.dispose();
  }

  #page(): string {
    return webviewPage({
      locale: env.language,
      title: l10n.t("Overview: {0}", this.#configured.name),
      subtitle: this.#configured.location,
      nonce: randomBytes(18).toString("base64url"),
      resources: resourcesOf(this.#panel.webview, this.#parts.extensionUri),
      buttons: [
        { action: "refresh", label: l10n.t("Refresh"), isPrimary: true },
        { action: "cancel", label: l10n.t("Cancel") },
      ],
      content: Markup.empty,
      words: { skip: l10n.t("Skip to the contents"), actions: l10n.t("Actions") },
    });
  }

  #receive(given: unknown): void {
    const message = readMessage(given);
    if (message?.kind === "ready") void this.#refresh();
    else if (message?.kind === "machine") void this.#parts.reveal(this.#configured, message.machine);
    else if (message?.kind === "action" && message.action === "refresh") void this.#refresh();
    else if (message?.kind === "action" && message.action === "cancel") this.#reading?.abort();
  }

  async #refresh(): Promise<void> {
    this.#reading?.abort();
    const reading = new AbortController();
    this.#reading = reading;
    this.#say(l10n.t("Reading the repository…"), ["cancel"]);
    try {
      const { client, repositories } = this.#parts;
      const { signal } = reading;
      const onProgress = (event: ProgressData) => this.#say(progressText(event), ["cancel"]);
      const data = await repositories.use(this.#configured, ({ handle }) =>
        client.call("overview", { repository: handle }, { signal, onProgress }),
      );
      if (this.#reading !== reading) return;
      this.#post({
        kind: "content",
        html: overviewContent(data, { t: l10n.t, locale: env.language }).source,
      });
      this.#say(l10n.t("As of {0}", dateAndTime(data.atMs, env.language)), ["refresh"]);
    } catch (error) {
      if (this.#reading !== reading) return;
      const text = isAbort(error) ? l10n.t("Cancelled.") : errorText(error);
      this.#say(text, ["refresh"]);
      if (!isAbort(error))
        this.#post({ kind: "content", html: html`<p class="note bad" role="alert">${text}</p>`.source });
    }
  }

  #say(text: string, enabled: readonly string[]): void {
    this.#post({ kind: "status", text });
    this.#post({ kind: "buttons", enabled });
  }

  #post(message: unknown): void {
    // a panel that was just closed takes no messages
    this.#panel.webview.postMessage(message).then(undefined, () => {});
  }
}

function progressText({ done, total }: ProgressData): string {
  return total === undefined
    ? l10n.t("Reading the repository…")
    : l10n.t("Counting what snapshots need: {0} of {1} snapshots", done, total);
}
