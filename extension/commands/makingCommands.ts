// New repositories: one's own, whose recovery key is shown once, and the demo.

import { commands, env, l10n, window } from "vscode";
import { isAbort } from "../adapt/cancellation.js";
import { errorText } from "../adapt/errors.js";
import { expandLocation, isSameLocation } from "../model/location.js";
import { addConfigured, configuredRepositories } from "../repositories/configured.js";
import type { AnswerOf } from "../service/protocol.js";
import { type ActionParts, isTrusted, running } from "./actionParts.js";
import { askLocation } from "./askLocation.js";

const WALKTHROUGH = "reprise.reprise#reprise.start";
const MIN_PASSPHRASE = 8;

export class MakingCommands {
  readonly #parts: ActionParts;
  /** A new repository with the passphrase that was just chosen. */
  readonly #unlock: (location: string, passphrase: string) => Promise<void>;

  constructor(parts: ActionParts, unlock: (location: string, passphrase: string) => Promise<void>) {
    this.#parts = parts;
    this.#unlock = unlock;
  }

  async init(): Promise<void> {
    if (!(await isTrusted())) return;
    const title = l10n.t("Make a new repository");
    const prompt = l10n.t("Where? An empty or new folder, s3:https://host/bucket/path or sftp://user@host/path");
    let typed: string | undefined = "";
    let passphrase: string | undefined;
    let problem: string | undefined;
    do {
      typed = await askLocation({ title, prompt, typed, problem });
      if (typed === undefined) return;
      passphrase ??= await askNewPassphrase(title);
      if (passphrase === undefined) return;
      problem = await this.#makeAt(typed, passphrase, title);
    } while (problem !== undefined);
  }

  /** What went wrong, to be said where the location can be typed again. */
  async #makeAt(place: string, passphrase: string, title: string): Promise<string | undefined> {
    const argument = { location: expandLocation(place), passphrase };
    const finish = (made: AnswerOf<"initRepository">) => this.#finish(place, passphrase, made);
    let made: AnswerOf<"initRepository">;
    try {
      made = await running(title, (options) =>
        this.#parts.client.call("initRepository", argument, {
          ...options,
          // it was there before it could be cancelled, and nobody can ask for its recovery key again
          onLate: (late) => {
            finish(late).catch((error: unknown) => window.showErrorMessage(errorText(error)));
          },
        }),
      );
    } catch (error) {
      if (isAbort(error)) throw error;
      return errorText(error);
    }
    await finish(made);
    return undefined;
  }

  async #finish(place: string, passphrase: string, { recoveryKey }: AnswerOf<"initRepository">): Promise<void> {
    if (recoveryKey !== null) await showRecoveryKey(recoveryKey);
    await this.#unlock(place, passphrase);
    const isThere = configuredRepositories().some(({ location }) => isSameLocation(location, place));
    if (!isThere) await addConfigured({ location: place });
    this.#parts.tree.redraw();
  }

  async makeDemo(): Promise<void> {
    if (!(await isTrusted())) return;
    const { demos, client, tree } = this.#parts;
    const present = configuredRepositories().find(({ location }) => demos.isDemo(location));
    if (present !== undefined) {
      void window.showInformationMessage(l10n.t("The demo repository is in the Backups view already."));
      await commands.executeCommand("reprise.repositories.focus");
      return;
    }
    const folder = demos.newFolder();
    const title = l10n.t("Making a demo repository");
    const { location, snapshots } = await running(title, (options) => client.call("makeDemo", { folder }, options));
    await demos.remember({ folder, location });
    const name = l10n.t("Demo");
    await addConfigured({ location, name });
    tree.redraw();
    await commands.executeCommand("reprise.repositories.focus");
    const text = l10n.t(
      "The demo repository has {0} snapshots of two machines. Remove it from the view when you are done; its files can go with it.",
      snapshots,
    );
    const open = l10n.t("Open Overview");
    const node = { kind: "repository", configured: { location, name } };
    // the command is done; the answer may take long
    window.showInformationMessage(text, open).then((chosen) => {
      if (chosen === open) void commands.executeCommand("reprise.overview", node);
    });
  }

  async openWalkthrough(): Promise<void> {
    await commands.executeCommand("workbench.action.openWalkthrough", WALKTHROUGH, false);
  }
}

async function askNewPassphrase(title: string): Promise<string | undefined> {
  const first = await window.showInputBox({
    title,
    prompt: l10n.t("A passphrase that opens it. It is kept by the editor's secret storage."),
    password: true,
    ignoreFocusOut: true,
    validateInput: (text) =>
      text.length < MIN_PASSPHRASE ? l10n.t("At least {0} characters", MIN_PASSPHRASE) : undefined,
  });
  if (first === undefined) return undefined;
  return await window.showInputBox({
    title,
    prompt: l10n.t("The same passphrase again"),
    password: true,
    ignoreFocusOut: true,
    validateInput: (text) => (text === first ? undefined : l10n.t("It is not the same")),
  });
}

/** Until somebody says that it is written down. */
async function showRecoveryKey(recoveryKey: string): Promise<void> {
  const [copy, done] = [l10n.t("Copy"), l10n.t("I Have Written It Down")];
  const question = l10n.t("The recovery key of the new repository");
  const detail = l10n.t(
    "{0}\n\nIt is shown this one time. Write it down or print it, and keep it apart from the passphrase. Whoever has it can open the repository; without it and without the passphrase nobody can.",
    recoveryKey,
  );
  for (;;) {
    const chosen = await window.showInformationMessage(question, { modal: true, detail }, copy, done);
    if (chosen === done) return;
    if (chosen === copy) await env.clipboard.writeText(recoveryKey);
  }
}
