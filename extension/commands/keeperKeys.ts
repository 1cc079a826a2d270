// The keeper's key of repositories with two roles: asked for, tried, kept by the editor's secret storage. Without it only a runner's
// work can be done; whoever wants more is told so before anything happens.

import { l10n, type QuickPickItem, window, workspace } from "vscode";
import { messageText } from "../model/shownName.js";
import type { ConfiguredRepository } from "../repositories/configured.js";
import type { OpenedRepository, OpenRepositories } from "../repositories/openRepositories.js";
import type { Passphrases } from "../secrets/passphrases.js";
import { ServiceError } from "../service/client.js";

const MAX_KEY_BYTES = 65_536;
const WRONG_KEY = ["KEEPER_KEY_WRONG", "KEEPER_KEY_INVALID"];

export class KeeperKeys {
  readonly #repositories: OpenRepositories;
  readonly #passphrases: Passphrases;

  constructor(repositories: OpenRepositories, passphrases: Passphrases) {
    this.#repositories = repositories;
    this.#passphrases = passphrases;
  }

  /** True when the keeper may act, after the key was asked for where it is missing. */
  async ready(configured: ConfiguredRepository): Promise<boolean> {
    return (await this.#askWhereMissing(configured, false)) === "keeper";
  }

  /** The same for what is previewed first: "runner" may look and change nothing. Undefined: given up. */
  async readyToPreview(configured: ConfiguredRepository): Promise<"keeper" | "runner" | undefined> {
    return await this.#askWhereMissing(configured, true);
  }

  /** False: the user gave up. Everything else that goes wrong is thrown. */
  async give(configured: ConfiguredRepository): Promise<boolean> {
    if ((await this.#roleIn(configured)) === "none") {
      const text = l10n.t("{0} has no keeper: whoever opens it may do everything.", messageText(configured.name));
      void window.showInformationMessage(text);
      return false;
    }
    const key = await this.#ask(configured);
    if (key === undefined) return false;
    if (key === null) {
      await this.#repositories.forgetKeeper(configured);
      window.setStatusBarMessage(l10n.t("The keeper's key of {0} is forgotten here.", configured.name), 5000);
      return false;
    }
    await this.#repositories.becomeKeeper(configured, key);
    window.setStatusBarMessage(l10n.t("You are the keeper of {0} now.", configured.name), 5000);
    return true;
  }

  /** With a kept key that is not the right one, it is as without: another one can be given, or the kept one forgotten. */
  async #roleIn(configured: ConfiguredRepository): Promise<OpenedRepository["keeper"]> {
    try {
      return (await this.#repositories.open(configured)).keeper;
    } catch (error) {
      if (error instanceof ServiceError && WRONG_KEY.includes(error.code)) return "elsewhere";
      throw error;
    }
  }

  async #askWhereMissing(
    configured: ConfiguredRepository,
    canPreview: boolean,
  ): Promise<"keeper" | "runner" | undefined> {
    const { keeper } = await this.#repositories.open(configured);
    if (keeper !== "elsewhere") return "keeper";
    const [give, preview] = [l10n.t("Give Keeper's Key…"), l10n.t("Only Preview")];
    const question = l10n.t("Only the keeper of {0} may do this.", configured.name);
    const detail = l10n.t(
      "The repository has two roles: forgetting, pruning, freeing space and taking protection away need the keeper's key. Nothing was changed.",
    );
    const buttons = canPreview ? [give, preview] : [give];
    const chosen = await window.showWarningMessage(question, { modal: true, detail }, ...buttons);
    if (chosen === preview) return "runner";
    return chosen === give && (await this.give(configured)) ? "keeper" : undefined;
  }

  /** The text of the key; null: the kept one shall be forgotten. Undefined: given up. */
  async #ask({ name, location }: ConfiguredRepository): Promise<string | null | undefined> {
    const title = l10n.t("Keeper's key of {0}", name);
    type How = QuickPickItem & { how: "file" | "text" | "forget" };
    const items: How[] = [
      {
        label: l10n.t("Choose Key File…"),
        detail: l10n.t("As `reprise init --new-keeper-key` has written it"),
        how: "file",
      },
      { label: l10n.t("Paste Key…"), detail: l10n.t("The text of the file, from BEGIN to END"), how: "text" },
    ];
    if (await this.#passphrases.hasOwnKeeperKey(location))
      items.push({ label: l10n.t("Forget the Key That Is Kept Here"), how: "forget" });
    const placeHolder = l10n.t("It is kept by the editor's secret storage, for this repository only.");
    const picked = await window.showQuickPick(items, { title, placeHolder, ignoreFocusOut: true });
    if (picked === undefined) return undefined;
    if (picked.how === "forget") return null;
    return picked.how === "file" ? await readChosenFile(title) : await askText(title);
  }
}

async function readChosenFile(title: string): Promise<string | undefined> {
  const [file] = (await window.showOpenDialog({ title, openLabel: l10n.t("Use Key") })) ?? [];
  if (file === undefined) return undefined;
  const { size } = await workspace.fs.stat(file);
  if (size > MAX_KEY_BYTES) throw tooLarge(file.path);
  return new TextDecoder().decode(await workspace.fs.readFile(file));
}

function tooLarge(path: string): ServiceError {
  const message = l10n.t("{0} is too large for a key.", path);
  return new ServiceError({ name: "ServiceError", family: "key", code: "KEEPER_KEY_INVALID", message });
}

/** The input box makes one line of what is pasted. */
async function askText(title: string): Promise<string | undefined> {
  const typed = await window.showInputBox({
    title,
    prompt: l10n.t("-----BEGIN PRIVATE KEY----- … -----END PRIVATE KEY-----"),
    password: true,
    ignoreFocusOut: true,
    validateInput: (text) => (pemOf(text) === undefined ? l10n.t("This is no private key in PEM") : undefined),
  });
  return typed === undefined ? undefined : pemOf(typed);
}

function pemOf(text: string): string | undefined {
  const [, body = ""] = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/.exec(text) ?? [];
  const digits = body.replaceAll(/\s+/g, "");
  if (digits === "" || digits.length > MAX_KEY_BYTES) return undefined;
  return `-----BEGIN PRIVATE KEY-----\n${digits.replaceAll(/(.{64})(?=.)/g, "$1\n")}\n-----END PRIVATE KEY-----\n`;
}
