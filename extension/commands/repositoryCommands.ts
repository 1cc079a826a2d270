// Commands that add, remove and unlock repositories.

import { type InputBoxOptions, type LogOutputChannel, l10n, ProgressLocation, window } from "vscode";
import { isAbort } from "../adapt/cancellation.js";
import { errorText, logText } from "../adapt/errors.js";
import { expandLocation, isSameLocation } from "../model/location.js";
import { messageText } from "../model/shownName.js";
import {
  addConfigured,
  type ConfiguredRepository,
  configuredRepositories,
  removeConfigured,
} from "../repositories/configured.js";
import type { DemoFolders } from "../repositories/demoFolders.js";
import type { OpenedRepository, OpenRepositories } from "../repositories/openRepositories.js";
import type { Passphrases } from "../secrets/passphrases.js";
import { ServiceError } from "../service/client.js";
import { type Node, repositoryOf } from "../views/nodes.js";
import type { RepositoriesTree } from "../views/repositoriesTree.js";
import { askLocation } from "./askLocation.js";

/** How often a passphrase may be mistyped. */
const TRIES = 3;

export class RepositoryCommands {
  readonly #repositories: OpenRepositories;
  readonly #passphrases: Passphrases;
  readonly #tree: RepositoriesTree;
  readonly #demos: DemoFolders;
  readonly #log: LogOutputChannel;

  constructor(
    repositories: OpenRepositories,
    passphrases: Passphrases,
    tree: RepositoriesTree,
    demos: DemoFolders,
    log: LogOutputChannel,
  ) {
    this.#repositories = repositories;
    this.#passphrases = passphrases;
    this.#tree = tree;
    this.#demos = demos;
    this.#log = log;
  }

  /** Asks for a location, opens what is there, and only then writes it to the settings. */
  async add(): Promise<void> {
    let typed: string | undefined = "";
    let problem: string | undefined;
    do {
      typed = await askLocation({
        title: l10n.t("Add a repository"),
        prompt: l10n.t("Where is it? A folder, s3:https://host/bucket/path or sftp://user@host/path"),
        ...{ typed, problem, check: alreadyThere },
      });
      if (typed === undefined) return;
      problem = await this.#addAt(typed);
    } while (problem !== undefined);
  }

  /** What went wrong, to be said where the location can be typed again. */
  async #addAt(location: string): Promise<string | undefined> {
    const configured = { location, name: expandLocation(location) };
    try {
      const opened = await this.#openAsking(configured);
      if (opened === undefined) return undefined;
      const present = await this.#repositories.sameAs(opened);
      if (present !== undefined) {
        await this.#repositories.close(location);
        await this.#passphrases.forget(location);
        return l10n.t("This repository is in the view already: {0} ({1})", present.name, present.location);
      }
    } catch (error) {
      if (isAbort(error)) throw error;
      this.#log.error(logText(error, "addRepository"));
      return errorText(error);
    }
    await addConfigured({ location });
    this.#tree.redraw();
    return undefined;
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
    const consequence =
      demo === undefined
        ? l10n.t("Its passphrase is forgotten here. The repository itself and its backups stay as they are.")
        : l10n.t(
            "This demo was made by Reprise in {0}. Nothing else is in that folder, and nothing else is deleted.",
            demo,
          );
    const detail = `${configured.location}\n\n${consequence}`;
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

  /** Undefined: the user gave up. Everything else that goes wrong is thrown. */
  async #openAsking(configured: ConfiguredRepository): Promise<OpenedRepository | undefined> {
    let passphrase = (await this.#passphrases.get(configured.location)) ?? null;
    let problem: string | undefined;
    for (let left = TRIES; ; left--) {
      try {
        return await this.#opening(configured, passphrase);
      } catch (error) {
        const wrong = isCode(error, ["PASSPHRASE_WRONG", "RECOVERY_KEY_INVALID"]);
        if (!wrong && !isCode(error, ["PASSPHRASE_MISSING"])) throw error;
        // what is wrong with it was said before
        if (left === 0) throw notOpened(configured);
        if (wrong) problem = `${errorText(error)} ${l10n.t("(tries left: {0})", left)}`;
      }
      const typed = await window.showInputBox(this.#passphraseBox(configured, problem));
      if (typed === undefined) return undefined;
      passphrase = typed;
    }
  }

  async #opening(configured: ConfiguredRepository, passphrase: string | null): Promise<OpenedRepository> {
    const title = l10n.t("Opening {0}", configured.name);
    return await window.withProgress({ location: ProgressLocation.Window, title }, () =>
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
      // it is no try
      validateInput: (text) => (text === "" ? l10n.t("Type the passphrase") : undefined),
    };
  }
}

/** Under any spelling of its location. */
function alreadyThere(location: string): string | undefined {
  const present = configuredRepositories().find((each) => isSameLocation(each.location, location));
  if (present === undefined) return undefined;
  return l10n.t("This repository is in the view already: {0} ({1})", present.name, present.location);
}

function notOpened({ name }: ConfiguredRepository): ServiceError {
  const message = l10n.t("None of {0} passphrases has opened {1}", TRIES, name);
  return new ServiceError({ name: "ServiceError", family: "key", code: "PASSPHRASE_WRONG", message });
}

function isCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof ServiceError && codes.includes(error.code);
}
