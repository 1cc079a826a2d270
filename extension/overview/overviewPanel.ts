// The overview of one repository in its tab: read by the service, with progress and cancel; can be saved as a file.

import { randomBytes } from "node:crypto";
import { type Disposable, env, l10n, Uri, type WebviewPanel } from "vscode";
import { Markup } from "../../core/report/markup.js";
import { isAbort } from "../adapt/cancellation.js";
import { errorText } from "../adapt/errors.js";
import { dateAndTime } from "../model/words.js";
import type { ConfiguredRepository } from "../repositories/configured.js";
import type { OpenRepositories } from "../repositories/openRepositories.js";
import { type ServiceClient, ServiceError } from "../service/client.js";
import type { OverviewData } from "../service/overviewProtocol.js";
import type { ProgressData } from "../service/protocol.js";
import { inTurns } from "./inTurns.js";
import { overviewSections } from "./overviewContent.js";
import { saveOverview } from "./savedOverview.js";
import { readMessage, resourcesOf } from "./webviewMessages.js";
import { webviewPage } from "./webviewPage.js";

const READER = { t: l10n.t, locale: env.language };

export interface OverviewParts {
  client: ServiceClient;
  repositories: OpenRepositories;
  /** Of the installed extension. */
  extensionUri: Uri;
  /** Shows a machine in the Backups view. */
  reveal(configured: ConfiguredRepository, machine: string): Promise<void>;
}

export class OverviewPanel implements Disposable {
  readonly #configured: ConfiguredRepository;
  readonly #parts: OverviewParts;
  readonly #panel: WebviewPanel;
  #reading: AbortController | undefined;
  /** What it shows. */
  #data: OverviewData | undefined;
  /** Something was done while nobody saw it. */
  #isStale = false;

  constructor(panel: WebviewPanel, configured: ConfiguredRepository, parts: OverviewParts, onClosed: () => void) {
    this.#panel = panel;
    this.#configured = configured;
    this.#parts = parts;
    panel.onDidDispose(() => {
      this.#reading?.abort();
      onClosed();
    });
    panel.onDidChangeViewState(() => {
      if (panel.visible && this.#isStale) void this.#refresh();
    });
    panel.webview.onDidReceiveMessage((message: unknown) => this.#receive(message));
    panel.webview.html = this.#page();
  }

  reveal(): void {
    this.#panel.reveal();
  }

  /** Reads anew, when somebody looks at it. */
  changed(): void {
    this.#isStale = true;
    if (this.#panel.visible) void this.#refresh();
  }

  dispose(): void {
    this.#panel.dispose();
  }

  #page(): string {
    const { name, location } = this.#configured;
    return webviewPage({
      locale: env.language,
      title: l10n.t("Overview: {0}", name),
      subtitle: location,
      nonce: randomBytes(18).toString("base64url"),
      resources: resourcesOf(this.#panel.webview, this.#parts.extensionUri),
      buttons: [
        { action: "refresh", label: l10n.t("Refresh"), isPrimary: true },
        { action: "cancel", label: l10n.t("Cancel") },
        { action: "save", label: l10n.t("Save as HTML…") },
      ],
      content: Markup.empty,
      words: { skip: l10n.t("Skip to the contents"), actions: l10n.t("Actions") },
      state: { location },
    });
  }

  #receive(given: unknown): void {
    const message = readMessage(given);
    if (message?.kind === "ready") void this.#refresh();
    else if (message?.kind === "machine") void this.#parts.reveal(this.#configured, message.machine);
    else if (message?.kind !== "action") return;
    else if (message.action === "refresh") void this.#refresh();
    else if (message.action === "cancel") this.#reading?.abort();
    else if (message.action === "save" && this.#data !== undefined)
      void saveOverview(this.#configured, this.#data, Uri.joinPath(this.#parts.extensionUri, "media", "webview.css"));
  }

  async #refresh(): Promise<void> {
    this.#reading?.abort();
    const reading = new AbortController();
    this.#reading = reading;
    this.#isStale = false;
    this.#say(l10n.t("Reading the repository…"), ["cancel"]);
    try {
      const data = await this.#read(reading.signal);
      if (this.#reading !== reading) return;
      const { source: html } = await inTurns(overviewSections(data, READER));
      if (this.#reading !== reading) return;
      this.#data = data;
      this.#post({ kind: "content", html });
      this.#post({ kind: "trouble", text: "" });
      this.#end();
    } catch (error) {
      if (this.#reading !== reading) return;
      this.#post({ kind: "trouble", text: isAbort(error) ? l10n.t("Cancelled.") : errorText(error) });
      this.#end();
    }
  }

  /** Once more when the service died over it: the next one may be luckier. */
  async #read(signal: AbortSignal): Promise<OverviewData> {
    const { client, repositories } = this.#parts;
    const onProgress = (event: ProgressData) => this.#say(progressText(event), ["cancel"]);
    const read = () =>
      repositories.use(this.#configured, ({ handle }) =>
        client.call("overview", { repository: handle }, { signal, onProgress }),
      );
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== "SERVICE_STOPPED") throw error;
      return await read();
    }
  }

  /** What was read before stays on the page, with its time. */
  #end(): void {
    const [data, always] = [this.#data, ["refresh"]];
    if (data === undefined) this.#say("", always);
    else this.#say(l10n.t("As of {0}", dateAndTime(data.atMs, env.language)), [...always, "save"]);
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
