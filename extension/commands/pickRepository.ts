// Which repository of the settings a command is about, when no row says it.

import { commands, l10n, window } from "vscode";
import { labelText } from "../model/shownName.js";
import { type ConfiguredRepository, configuredRepositories } from "../repositories/configured.js";

/** The only one there is, or one that is picked. Undefined: given up, or there is none, which is said. */
export async function pickRepository(title: string): Promise<ConfiguredRepository | undefined> {
  const all = configuredRepositories();
  if (all.length === 0) {
    void tellNone();
    return undefined;
  }
  if (all.length === 1) return all[0];
  const items = all.map((configured) => {
    return { label: labelText(configured.name), description: configured.location, configured };
  });
  return (await window.showQuickPick(items, { title, placeHolder: l10n.t("Which repository?") }))?.configured;
}

async function tellNone(): Promise<void> {
  const add = l10n.t("Add Repository…");
  const text = l10n.t("There is no repository in the Backups view yet.");
  if ((await window.showInformationMessage(text, add)) === add) await commands.executeCommand("reprise.addRepository");
}
