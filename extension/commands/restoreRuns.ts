// Runs one restore in front of the user: progress with rate and remaining time, cancel, the question what shall happen with what is
// there already, and what came of it.

import {
  commands,
  env,
  type LogOutputChannel,
  l10n,
  ProgressLocation,
  UIKind,
  type Uri,
  window,
  workspace,
} from "vscode";
import { isAbort, withSignal } from "../adapt/cancellation.js";
import type { PlainDocuments } from "../files/plainDocuments.js";
import { withoutLinks } from "../model/harmlessText.js";
import { ProgressMeter, progressText } from "../model/progressMeter.js";
import { isIncomplete, type RestoreDone, restoreReportText, restoreSummary } from "../model/restoreReport.js";
import { messageText, shortenedWords } from "../model/shownName.js";
import { type CallOptions, ServiceError } from "../service/client.js";

export type Existing = "refuse" | "replace" | "keep";

export interface RestoreManner {
  existing: Existing;
  /** Zeros in place of what is damaged. */
  skipDamaged: boolean;
}

export interface RestoreRun {
  /** "Restoring /etc/hostname". */
  title: string;
  subject: string;
  /** Without the machine. */
  name: string;
  time: string;
  /** The folder, or the file of one disk. */
  to: Uri;
  /** Whether files that are there can be left alone. */
  canKeep: boolean;
  run(manner: RestoreManner, options: CallOptions): Promise<Pick<RestoreDone, "files" | "disks">>;
  /** Removes what an attempt has left, when the user wants no other one. */
  giveUp?(unfinished: readonly string[]): Promise<void>;
}

export class RestoreRuns {
  readonly #documents: PlainDocuments;
  readonly #log: LogOutputChannel;

  constructor(documents: PlainDocuments, log: LogOutputChannel) {
    this.#documents = documents;
    this.#log = log;
  }

  /** Asks before anything is replaced; the user may give up at any time. */
  async run(restore: RestoreRun): Promise<void> {
    const manner: RestoreManner = { existing: "refuse", skipDamaged: false };
    for (;;) {
      try {
        const done = await this.#attempt(restore, manner);
        return await this.#tell(done, restore.to);
      } catch (error) {
        if (isAbort(error)) return void this.#tellCancelled(restore);
        const isTaken = isCode(error, "TARGET_EXISTS") && manner.existing === "refuse";
        const isDamaged = isCode(error, "RESTORE_DAMAGED") && !manner.skipDamaged;
        if (isTaken) {
          const existing = await askAboutExisting(restore, error as ServiceError);
          if (existing === undefined) return await giveUp(restore, error as ServiceError);
          manner.existing = existing;
        } else if (isDamaged && (await askAboutDamage(error as ServiceError))) manner.skipDamaged = true;
        else if (isDamaged) return await giveUp(restore, error as ServiceError);
        else throw error;
      }
    }
  }

  async #attempt(restore: RestoreRun, manner: RestoreManner): Promise<RestoreDone> {
    const { title, subject, name, time, to } = restore;
    const startedMs = Date.now();
    const meter = new ProgressMeter();
    const options = { location: ProgressLocation.Notification, title: messageText(title), cancellable: true };
    const result = await window.withProgress(options, (progress, token) =>
      withSignal(token, (signal) =>
        restore.run(
          { ...manner },
          {
            signal,
            onProgress: (event) => {
              const reading = meter.read(event, Date.now());
              const message = progressText(reading, env.language, l10n.t);
              progress.report({ message, increment: reading.incrementPercent });
            },
          },
        ),
      ),
    );
    return { ...result, subject, name, time, to: to.fsPath, seconds: (Date.now() - startedMs) / 1000 };
  }

  async #tell(done: RestoreDone, to: Uri): Promise<void> {
    const summary = restoreSummary(done, env.language, l10n.t);
    this.#log.info(`${done.subject} → ${done.to}: ${summary}`);
    for (const { path, reason } of done.files?.skippedFiles ?? []) this.#log.warn(`${path}: ${reason}`);
    const [open, report, details] = [l10n.t("Open Folder"), l10n.t("Show Report"), l10n.t("Show Log")];
    const incomplete = isIncomplete(done);
    const show = incomplete ? window.showWarningMessage : window.showInformationMessage;
    const answer = await show(withoutLinks(summary), open, report, ...(incomplete ? [details] : []));
    if (answer === open) await openFolder(to, done.files === null && done.disks.length === 1);
    else if (answer === report) await this.#showReport(done);
    else if (answer === details) this.#log.show();
  }

  async #showReport(done: RestoreDone): Promise<void> {
    const text = restoreReportText(done, env.language, l10n.t);
    const uri = this.#documents.add(l10n.t("Restore report.txt"), text);
    await window.showTextDocument(await workspace.openTextDocument(uri), { preview: true });
  }

  async #tellCancelled({ canKeep }: RestoreRun): Promise<void> {
    const message = canKeep
      ? l10n.t("The restore was cancelled. Files that were finished stay; none is half written.")
      : l10n.t("The restore was cancelled. Restored to the same place again, it goes on where it stopped.");
    const showLog = l10n.t("Show Log");
    if ((await window.showInformationMessage(message, showLog)) === showLog) this.#log.show();
  }
}

/** Nobody asks for it again, and its name is hidden. */
async function giveUp(restore: RestoreRun, { data }: ServiceError): Promise<void> {
  const kept = Array.isArray(data.kept) ? data.kept.filter((path) => typeof path === "string") : [];
  if (kept.length > 0) await restore.giveUp?.(kept);
}

/** Undefined: stop. */
async function askAboutExisting({ canKeep }: RestoreRun, error: ServiceError): Promise<Existing | undefined> {
  const [replace, keep] = [l10n.t("Replace"), l10n.t("Keep Existing")];
  const detail = canKeep
    ? l10n.t("Replace writes over files that are restored. Keep Existing restores only what is not there yet.")
    : l10n.t("Replace writes over it.");
  const question = l10n.t("There is something of this name already. What shall happen with it?");
  const buttons = canKeep ? [replace, keep] : [replace];
  const options = { modal: true, detail: `${withoutLinks(shortenedWords(error.message))}\n\n${detail}` };
  const answer = await window.showWarningMessage(question, options, ...buttons);
  return answer === replace ? "replace" : answer === keep ? "keep" : undefined;
}

async function askAboutDamage(error: ServiceError): Promise<boolean> {
  const rest = l10n.t("Restore the Rest");
  const detail = l10n.t(
    "Damaged ranges would be zeros, and the report would name each. An earlier snapshot may be whole.",
  );
  return (
    (await window.showWarningMessage(withoutLinks(shortenedWords(error.message)), { modal: true, detail }, rest)) ===
    rest
  );
}

/** In the Explorer when it is part of the workspace, in the system's file manager when there is one, else in a new window. */
async function openFolder(to: Uri, isFile: boolean): Promise<void> {
  const isLocal = env.uiKind === UIKind.Desktop && env.remoteName === undefined;
  if (workspace.getWorkspaceFolder(to) !== undefined) await commands.executeCommand("revealInExplorer", to);
  else if (isLocal) await commands.executeCommand("revealFileInOS", to);
  else {
    const folder = isFile ? to.with({ path: to.path.slice(0, to.path.lastIndexOf("/")) || "/" }) : to;
    await commands.executeCommand("vscode.openFolder", folder, { forceNewWindow: true });
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof ServiceError && error.code === code;
}
