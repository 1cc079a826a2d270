// The overviews that are open in this window, one tab for each repository: opened by a command or by a window that was loaded again,
// and read anew when something was done here.

import { type Disposable, l10n, ViewColumn, type WebviewPanel, window } from "vscode";
import { type ConfiguredRepository, configuredRepositories } from "../repositories/configured.js";
import { OverviewPanel, type OverviewParts } from "./overviewPanel.js";
import { webviewOptions } from "./webviewMessages.js";

const VIEW_TYPE = "reprise.overview";

export class OverviewPanels implements Disposable {
  readonly #parts: OverviewParts;
  readonly #open = new Map<string, OverviewPanel>();
  readonly #disposables: readonly Disposable[];

  constructor(parts: OverviewParts) {
    this.#parts = parts;
    this.#disposables = [
      parts.repositories.onDidChangeContents((location) => this.#open.get(location)?.changed()),
      window.registerWebviewPanelSerializer(VIEW_TYPE, {
        deserializeWebviewPanel: (panel, state: unknown) => Promise.resolve(this.#restore(panel, state)),
      }),
    ];
  }

  show(configured: ConfiguredRepository): void {
    const known = this.#open.get(configured.location);
    if (known !== undefined) {
      known.reveal();
      return;
    }
    const { extensionUri } = this.#parts;
    const title = l10n.t("Overview: {0}", configured.name);
    this.#adopt(
      window.createWebviewPanel(VIEW_TYPE, title, ViewColumn.Active, webviewOptions(extensionUri)),
      configured,
    );
  }

  dispose(): void {
    for (const each of this.#disposables) each.dispose();
    for (const panel of [...this.#open.values()]) panel.dispose();
  }

  /** A tab whose repository is not in the settings any more has nothing to show. */
  #restore(panel: WebviewPanel, state: unknown): void {
    const { location } = (state ?? {}) as { location?: unknown };
    const configured = configuredRepositories().find((each) => each.location === location);
    if (configured === undefined || this.#open.has(configured.location)) {
      panel.dispose();
      return;
    }
    panel.webview.options = webviewOptions(this.#parts.extensionUri);
    this.#adopt(panel, configured);
  }

  #adopt(panel: WebviewPanel, configured: ConfiguredRepository): void {
    const { location } = configured;
    this.#open.set(location, new OverviewPanel(panel, configured, this.#parts, () => this.#open.delete(location)));
  }
}
