// Commands on single snapshots: verify, protect, notes, tags, forget.

import { env, type LogOutputChannel, l10n, window } from "vscode";
import { dateAndTime, sizeText } from "../model/words.js";
import type { VerifyData } from "../service/actionsProtocol.js";
import type { Node } from "../views/nodes.js";
import {
  type ActionParts,
  chooseRepository,
  confirmed,
  isTrusted,
  type TargetSnapshot,
  writeTo,
} from "./actionParts.js";

export class SnapshotCommands {
  readonly #parts: ActionParts;
  readonly #log: LogOutputChannel;

  constructor(parts: ActionParts, log: LogOutputChannel) {
    this.#parts = parts;
    this.#log = log;
  }

  async verifySnapshot(given?: Node): Promise<void> {
    const target = await this.#target(given, l10n.t("Verify which snapshot?"));
    if (target === undefined) return;
    const title = l10n.t("Verify {0}", nameOf(target));
    const readData = await askDepth(title);
    if (readData === undefined) return;
    const { snapshotId: snapshot } = target.snapshot;
    const result = await writeTo(this.#parts, target.configured, title, (repository, options) =>
      this.#parts.client.call("verify", { repository, snapshot, readData }, options),
    );
    this.#tellVerified(nameOf(target), result);
  }

  async verifyRepository(given?: Node): Promise<void> {
    if (!(await isTrusted())) return;
    const configured = await chooseRepository(given, l10n.t("Verify which repository?"));
    if (configured === undefined) return;
    const title = l10n.t("Verify {0}", configured.name);
    const readData = await askDepth(title);
    if (readData === undefined) return;
    const result = await writeTo(this.#parts, configured, title, (repository, options) =>
      this.#parts.client.call("verify", { repository, snapshot: null, readData }, options),
    );
    this.#tellVerified(configured.name, result);
  }

  async setProtection(given: Node | undefined, wanted: boolean): Promise<void> {
    const ask = wanted ? l10n.t("Protect which snapshot?") : l10n.t("Take the protection from which snapshot?");
    const target = await this.#target(given, ask);
    if (target === undefined) return;
    const { configured, snapshot } = target;
    if (!wanted && !(await this.#parts.keepers.ready(configured))) return;
    const detail = l10n.t("From then on it can be forgotten, and a retention policy may remove it.");
    const question = l10n.t("Take the protection from {0}?", nameOf(target));
    if (!wanted && !(await confirmed(question, detail, l10n.t("Take Protection Away")))) return;
    await this.#change(target, l10n.t("Protection of {0}", nameOf(target)), (repository, options) =>
      this.#parts.client.call(
        "setProtection",
        { repository, snapshot: snapshot.snapshotId, protected: wanted },
        options,
      ),
    );
    const done = wanted
      ? l10n.t("{0} is protected now.", nameOf(target))
      : l10n.t("{0} is not protected any more.", nameOf(target));
    this.#log.info(`${configured.name}: ${done}`);
    window.setStatusBarMessage(done, 5000);
  }

  async editNotes(given?: Node): Promise<void> {
    const target = await this.#target(given, l10n.t("Notes of which snapshot?"));
    if (target === undefined) return;
    const { snapshotId: snapshot, notes: value } = target.snapshot;
    const notes = await window.showInputBox({
      title: l10n.t("Notes of {0}", nameOf(target)),
      value,
      ignoreFocusOut: true,
    });
    if (notes === undefined || notes === value) return;
    await this.#change(target, l10n.t("Notes of {0}", nameOf(target)), (repository, options) =>
      this.#parts.client.call("setNotes", { repository, snapshot, notes }, options),
    );
  }

  async editTags(given?: Node): Promise<void> {
    const target = await this.#target(given, l10n.t("Tags of which snapshot?"));
    if (target === undefined) return;
    const { snapshotId: snapshot, tags: before } = target.snapshot;
    const typed = await window.showInputBox({
      title: l10n.t("Tags of {0}", nameOf(target)),
      prompt: l10n.t("Separated by commas; nothing takes all of them away"),
      value: before.join(", "),
      ignoreFocusOut: true,
    });
    if (typed === undefined) return;
    const tags = typed
      .split(",")
      .map((tag) => tag.trim())
      .filter((tag) => tag !== "");
    await this.#change(target, l10n.t("Tags of {0}", nameOf(target)), (repository, options) =>
      this.#parts.client.call("setTags", { repository, snapshot, tags }, options),
    );
  }

  async forget(given?: Node): Promise<void> {
    const target = await this.#target(given, l10n.t("Forget which snapshot?"));
    if (target === undefined) return;
    if (!(await this.#parts.keepers.ready(target.configured))) return;
    const { snapshotId, notes, disks, sizeBytes } = target.snapshot;
    const size = sizeText(sizeBytes, env.language);
    const detail = [
      l10n.t("Snapshot {0} with {1} ({2})", snapshotId.slice(0, 8), disks.map(({ name }) => name).join(", "), size),
      notes,
      l10n.t("It cannot be restored afterwards. Its space is freed by gc. Other snapshots stay complete."),
    ].filter((line) => line !== "");
    const question = l10n.t("Forget {0}?", nameOf(target));
    if (!(await confirmed(question, detail.join("\n\n"), l10n.t("Forget Snapshot")))) return;
    await this.#change(target, l10n.t("Forget {0}", nameOf(target)), (repository, options) =>
      this.#parts.client.call("forget", { repository, snapshots: [snapshotId] }, options),
    );
    this.#log.info(`${target.configured.name}: ${nameOf(target)} (${snapshotId}) was forgotten`);
  }

  async #target(given: Node | undefined, title: string): Promise<TargetSnapshot | undefined> {
    return (await isTrusted()) ? await this.#parts.choose.snapshot(given, title) : undefined;
  }

  async #change(target: TargetSnapshot, title: string, work: Parameters<typeof writeTo>[3]): Promise<void> {
    await writeTo(this.#parts, target.configured, title, work);
  }

  #tellVerified(name: string, { ok, level, damaged, problems, snapshots, bytesRead }: VerifyData): void {
    const read = sizeText(bytesRead, env.language);
    for (const { machine, timeMs, disk, path, offset, length, reason } of damaged) {
      const where = path === null ? disk : `${disk} ${path}`;
      this.#log.error(
        `${machine}@${new Date(timeMs).toISOString()}: ${where}, ${length} bytes from ${offset}: ${reason}`,
      );
    }
    for (const problem of problems) this.#log.error(problem);
    if (ok) {
      const count = snapshots === 1 ? l10n.t("1 snapshot") : l10n.t("{0} snapshots", snapshots);
      const text =
        level === "data"
          ? l10n.t("{0}: all data of {1} is undamaged ({2} read).", name, count, read)
          : l10n.t("{0}: the structure of {1} is undamaged. The data itself was not read.", name, count);
      this.#log.info(text);
      void window.showInformationMessage(text);
      return;
    }
    const touched = new Set(damaged.map(({ snapshotId }) => snapshotId)).size;
    const text = l10n.t(
      "{0} is damaged: {1} snapshots are touched, {2} objects cannot be read.",
      name,
      touched,
      problems.length,
    );
    const showLog = l10n.t("Show Log");
    window.showErrorMessage(text, showLog).then((chosen) => {
      if (chosen === showLog) this.#log.show();
    });
  }
}

/** Undefined: the user gave up. */
async function askDepth(title: string): Promise<boolean | undefined> {
  const items = [
    {
      label: l10n.t("Structure"),
      detail: l10n.t("Every small object opens, and every chunk that is needed is in a pack. Takes seconds."),
      readData: false,
    },
    {
      label: l10n.t("All data"),
      detail: l10n.t("Every byte is read and every digest computed. Takes as long as reading everything."),
      readData: true,
    },
  ];
  return (await window.showQuickPick(items, { title, placeHolder: l10n.t("How deep?") }))?.readData;
}

function nameOf({ snapshot }: TargetSnapshot): string {
  return `${snapshot.machine} ${dateAndTime(snapshot.timeMs, env.language)}`;
}
