// Which machine a restore test is for, out of those of some repositories. One that cannot be read has a row that says why: no machine
// in the list would look like no backup.

import { commands, l10n, type QuickPickItem, window } from "vscode";
import { errorText } from "../adapt/errors.js";
import { labelText } from "../model/shownName.js";
import type { ConfiguredRepository } from "../repositories/configured.js";
import { isLocked } from "../repositories/openRepositories.js";
import type { MachineStateData } from "../service/policyProtocol.js";
import type { CoveredMachine } from "./coverageTree.js";

export interface MachineSource {
  statesOf(configured: ConfiguredRepository): Promise<readonly MachineStateData[]>;
  isOpen(location: string): boolean;
}

interface MachineRow extends QuickPickItem {
  machine: CoveredMachine;
}

interface ProblemRow extends QuickPickItem {
  configured: ConfiguredRepository;
  error: unknown;
}

/** Undefined: the user gave up, or was told that there is none. Asks for a passphrase where one is wanted. */
export async function pickMachine(
  repositories: readonly ConfiguredRepository[],
  source: MachineSource,
): Promise<CoveredMachine | undefined> {
  if (repositories.length === 0) {
    void window.showInformationMessage(l10n.t("Add the repository to the Backups view first."));
    return undefined;
  }
  for (;;) {
    const options = { title: l10n.t("Which machine?"), matchOnDescription: true };
    const picked = await window.showQuickPick<MachineRow | ProblemRow>(allRows(repositories, source), options);
    if (picked === undefined || "machine" in picked) return picked?.machine;
    const { configured, error } = picked;
    if (!isLocked(error)) throw error;
    await commands.executeCommand("reprise.unlockRepository", { kind: "repository", configured });
    if (!source.isOpen(configured.location)) return undefined;
  }
}

/** What cannot be read comes last. */
async function allRows(
  repositories: readonly ConfiguredRepository[],
  source: MachineSource,
): Promise<(MachineRow | ProblemRow)[]> {
  const rows = await Promise.all(repositories.map((configured) => rowsOf(configured, source)));
  return rows.flat().sort((a, b) => Number("error" in a) - Number("error" in b));
}

async function rowsOf(configured: ConfiguredRepository, source: MachineSource): Promise<(MachineRow | ProblemRow)[]> {
  try {
    return (await source.statesOf(configured)).map((state): MachineRow => {
      const machine: CoveredMachine = { kind: "machine", configured, state };
      return { label: labelText(state.machine), description: labelText(configured.name), machine };
    });
  } catch (error) {
    const locked = isLocked(error);
    const description = locked ? l10n.t("Enter the passphrase…") : labelText(errorText(error));
    return [{ label: `$(${locked ? "key" : "error"}) ${labelText(configured.name)}`, description, configured, error }];
  }
}
