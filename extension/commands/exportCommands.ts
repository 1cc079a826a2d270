// Commands that export: a file, a folder or a whole snapshot as one archive, and the evidence of a snapshot's restore tests. Disks are
// exported by restoreCommands.ts.

import { commands, env, type LogOutputChannel, l10n, type QuickPickItem, Uri, window, workspace } from "vscode";
import { startFolder } from "../adapt/startFolder.js";
import { withoutLinks } from "../model/harmlessText.js";
import { restoreFolderName } from "../model/restoreReport.js";
import { lastName, shortened } from "../model/shownName.js";
import { sizeText } from "../model/words.js";
import { type CallOptions, type ServiceClient, ServiceError } from "../service/client.js";
import type { ArchiveFormat } from "../service/restoreProtocol.js";
import { confirmed, running } from "./actionParts.js";
import type { Given, PlaceChooser } from "./chosenPlace.js";

export class ExportCommands {
  readonly #client: ServiceClient;
  readonly #places: PlaceChooser;
  readonly #log: LogOutputChannel;

  constructor(client: ServiceClient, places: PlaceChooser, log: LogOutputChannel) {
    this.#client = client;
    this.#places = places;
    this.#log = log;
  }

  /** The name of the file says which kind of archive. */
  async archive(given: Given): Promise<void> {
    const prompt = l10n.t("Export which file or folder? As the machine names it");
    const place = await this.#places.place(given, prompt, { orWhole: true });
    if (place === undefined) return;
    const { configured, snapshot, path } = place;
    const name = path === "/" ? restoreFolderName(await this.#places.snapshotOf(place)) : fileName(path);
    const to = await window.showSaveDialog({
      title: l10n.t("Export {0} to which archive?", shortened(path === "/" ? place.machine : lastName(path), 80)),
      saveLabel: l10n.t("Export"),
      defaultUri: Uri.joinPath(startFolder(), `${name}.tar`),
      filters: { tar: ["tar"], zip: ["zip"] },
    });
    const format = to === undefined ? undefined : await formatOf(to);
    if (to === undefined || format === undefined) return;
    const title = l10n.t("Exporting {0}", shortened(lastName(to.path), 80));
    const made = await replacing((replace) =>
      running(title, (options: CallOptions) =>
        this.#places.use(configured, ({ handle: repository }) => {
          const argument = { repository, snapshot, path, to: to.fsPath, format, replace };
          return this.#client.call("exportArchive", argument, options);
        }),
      ),
    );
    if (made === undefined) return;
    for (const { path, reason } of made.skippedFiles) this.#log.warn(`${path}: ${reason}`);
    const size = sizeText(made.sizeBytes, env.language);
    const text = l10n.t("{0} was written: {1}.", made.to, size);
    const left = made.skipped === 0 ? "" : ` ${l10n.t("{0} files are not in it; the log names them.", made.skipped)}`;
    this.#tell(`${text}${left}`, made.skipped > 0, to);
  }

  async evidence(given: Given): Promise<void> {
    const chosen = await this.#places.snapshot(given, l10n.t("Export the evidence of which snapshot?"));
    if (chosen === undefined) return;
    const title = l10n.t("Export the evidence into which folder?");
    const options = { title, openLabel: l10n.t("Export Here"), canSelectFiles: false, canSelectFolders: true };
    const [parent] = (await window.showOpenDialog({ ...options, defaultUri: startFolder() })) ?? [];
    if (parent === undefined) return;
    const to = Uri.joinPath(parent, `${restoreFolderName(chosen.snapshot)}-evidence`);
    const { snapshotId: snapshot, machine } = chosen.snapshot;
    const made = await replacing((replace) =>
      running(l10n.t("Exporting the evidence of {0}", machine), (call: CallOptions) =>
        this.#places.use(chosen.configured, ({ handle: repository }) =>
          this.#client.call("exportEvidence", { repository, snapshot, to: to.fsPath, replace }, call),
        ),
      ),
    );
    if (made === undefined) return;
    const text =
      made.tests === 0
        ? l10n.t("This snapshot has not been tested: {0} has only its manifest.", made.to)
        : l10n.t("{0} has {1} restore tests, {2} of them signed.", made.to, made.tests, made.signed);
    this.#tell(text, made.tests === 0, to);
  }

  /** The command is done; the answer may take long. */
  #tell(text: string, isWarning: boolean, to: Uri): void {
    this.#log.info(text);
    const [reveal, showLog] = [l10n.t("Show in Folder"), l10n.t("Show Log")];
    const buttons = isWarning ? [showLog] : [];
    const canReveal = workspace.getWorkspaceFolder(to) !== undefined || env.remoteName === undefined;
    const show = isWarning ? window.showWarningMessage : window.showInformationMessage;
    show(withoutLinks(text), ...(canReveal ? [reveal] : []), ...buttons).then((chosen) => {
      if (chosen === showLog) this.#log.show();
      if (chosen === reveal) void commands.executeCommand(revealCommand(to), to);
    });
  }
}

/** Asks before what is there is replaced. Undefined: given up. */
async function replacing<T>(work: (replace: boolean) => Promise<T>): Promise<T | undefined> {
  try {
    return await work(false);
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== "TARGET_EXISTS") throw error;
    const question = l10n.t("There is something of this name already. What shall happen with it?");
    return (await confirmed(question, error.message, l10n.t("Replace"))) ? await work(true) : undefined;
  }
}

async function formatOf({ path }: Uri): Promise<ArchiveFormat | undefined> {
  if (/\.tar$/i.test(path)) return "tar";
  if (/\.zip$/i.test(path)) return "zip";
  const items: (QuickPickItem & { format: ArchiveFormat })[] = [
    {
      label: "tar",
      detail: l10n.t("With modes, owners, times, extended attributes, links and devices"),
      format: "tar",
    },
    { label: "zip", detail: l10n.t("With modes, times and links; for whoever has no tar"), format: "zip" },
  ];
  return (await window.showQuickPick(items, { title: l10n.t("In which format?") }))?.format;
}

/** A name of this computer for what may be called anything in the machine. */
function fileName(path: string): string {
  const name = lastName(path).replaceAll(/[^\p{L}\p{N}._ -]/gu, "_");
  return shortened(name, 80).replace(/^[-.]+/, "") || "files";
}

function revealCommand(to: Uri): string {
  return workspace.getWorkspaceFolder(to) === undefined ? "revealFileInOS" : "revealInExplorer";
}
