// Commands that add, remove and unlock repositories.

import { type InputBoxOptions, l10n, ProgressLocation, window } from "vscode";
import { errorText } from "../adapt/errors.js";
import { messageText } from "../model/shownName.js";
import {
  addConfigured,
  type ConfiguredRepository,
  configuredRepositories,
  expandLocation,
  removeConfigured,
} from "../repositories/configured.js";
import type { DemoFolders } from "../repositories/demoFolders.js";
import type { OpenRepositories } from "../repositories/openRepositories.js";
import type { Passphrases } from "../secrets/passphrases.js";
import { ServiceError } from "../service/client.js";
import { type Node, repositoryOf } from "../views/nodes.js";
import type { RepositoriesTree } from "../views/repositoriesTree.js";

/** How often a passphrase may be mistyped. */
const TRIES = 3;

export class RepositoryCommands {
  readonly #repositories: OpenRepositories;
  readonly #passphrases: Passphrases;
  readonly #tree: RepositoriesTree;
  readonly #demos: DemoFolders;

  constructor(repositories: OpenRepositories, passphrases: Passphrases, tree: RepositoriesTree, demos: DemoFolders) {
    this.#repositories = repositories;
    this.#passphrases = passphrases;
    this.#tree = tree;
    this.#demos = demos;
  }

  /** Asks for a location, opens what is there, and only then writes it to the settings. */
  async add(): Promise<void> {
    const location = await window.showInputBox({
      title: l10n.t("Add a repository"),
      prompt: l10n.t("Where is it? A folder, s3:https://host/bucket/path or sftp://user@host/path"),
      placeHolder: "/srv/backups/reprise",
      ignoreFocusOut: true,
      validateInput: (text) => (text.trim() === "" ? l10n.t("A repository has a location") : undefined),
    });
    if (location === undefined) return;
    const configured = { location: location.trim(), name: expandLocation(location.trim()) };
    if (!(await this.#openAsking(configured))) return;
    await addConfigured({ location: configured.location });
    this.#tree.redraw();
  }

  async unlock(node?: Node): Promise<void> {
    const configured = await this.#choose(node, l10n.t("Which repository?"));
    if (configured === undefined) return;
    const [open] = await this.#repositories.openNow((location) => location === configured.location);
    // opened anew, it would end what is served or runs from it
    if (open !== undefined)
      return void window.showInformationMessage(l10n.t("{0} is open already.", messageText(configured.name)));
    await this.#openAsking(configured);
  }

  /** Forgets where it is and its passphrase; the repository itself stays as it is. */
  async remove(node?: Node): Promise<void> {
    const configured = await this.#choose(node, l10n.t("Which repository shall be removed from the view?"));
    if (configured === undefined) return;
    const demo = await this.#demos.folderOf(configured.location);
    const [remove, removeAll] = [l10n.t("Remove"), l10n.t("Remove and Delete Its Files")];
    const question = l10n.t("Remove {0} from the view?", configured.name);
    const detail =
      demo === undefined
        ? l10n.t("Its passphrase is forgotten here. The repository itself and its backups stay as they are.")
        : l10n.t(
            "This demo was made by Reprise in {0}. Nothing else is in that folder, and nothing else is deleted.",
            demo,
          );
    const buttons = demo === undefined ? [remove] : [removeAll, remove];
    const chosen = await window.showWarningMessage(question, { modal: true, detail }, ...buttons);
    if (chosen === undefined) return;
    await this.#repositories.close(configured.location);
    await this.#passphrases.forget(configured.location);
    await removeConfigured(configured.location);
    if (chosen === removeAll) await this.#demos.remove(configured.location);
    this.#tree.redraw();
  }

  async #choose(node: Node | undefined, title: string): Promise<ConfiguredRepository | undefined> {
    if (node !== undefined) return repositoryOf(node).configured;
    const all = configuredRepositories();
    const items = all.map((configured) => ({ label: configured.name, description: configured.location, configured }));
    return (await window.showQuickPick(items, { title }))?.configured;
  }

  /** False: the user gave up. Everything else that goes wrong is thrown. */
  async #openAsking(configured: ConfiguredRepository): Promise<boolean> {
    let passphrase = (await this.#passphrases.get(configured.location)) ?? null;
    let problem: string | undefined;
    for (let left = TRIES; ; left--) {
      try {
        await this.#opening(configured, passphrase);
        return true;
      } catch (error) {
        const wrong = isCode(error, ["PASSPHRASE_WRONG", "RECOVERY_KEY_INVALID"]);
        if ((!wrong && !isCode(error, ["PASSPHRASE_MISSING"])) || left === 0) throw error;
        if (wrong) problem = errorText(error);
      }
      const typed = await window.showInputBox(this.#passphraseBox(configured, problem));
      if (typed === undefined) return false;
      passphrase = typed;
    }
  }

  async #opening(configured: ConfiguredRepository, passphrase: string | null): Promise<void> {
    const title = l10n.t("Opening {0}", configured.name);
    await window.withProgress({ location: ProgressLocation.Window, title }, () =>
      this.#repositories.unlock(configured, passphrase),
    );
  }

  #passphraseBox({ name }: ConfiguredRepository, problem: string | undefined): InputBoxOptions {
    return {
      title: l10n.t("Passphrase of {0}", name),
      prompt:
        problem ??
        l10n.t("It is kept by the editor's secret storage. A recovery key (RPRS1-…) opens the repository, too."),
      password: true,
      ignoreFocusOut: true,
    };
  }
}

function isCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof ServiceError && codes.includes(error.code);
}
