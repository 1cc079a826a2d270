// Files that are too large to open without a thought: asked about above one size, refused above another, both of the settings.

import { commands, env, FileSystemError, l10n, type Uri, window, workspace } from "vscode";
import { withoutLinks } from "../model/harmlessText.js";
import { sizeText } from "../model/words.js";
import { MAX_FILE_BYTES } from "../service/protocol.js";

const MIB = 1024 * 1024;

/** For RepriseFileSystem. Refuses with an error that says what can be done instead. */
export async function askToOpen(uri: Uri, sizeBytes: number): Promise<boolean> {
  const settings = workspace.getConfiguration("reprise.files", uri);
  const askAbove = mebibytes(settings.get("askAbove"), 32) * MIB;
  const largest = mebibytes(settings.get("largestToOpen"), 256) * MIB;
  const [name, size] = [withoutLinks(uri.path.slice(uri.path.lastIndexOf("/") + 1)), sizeText(sizeBytes, env.language)];
  if (sizeBytes > largest) {
    void offerPart(uri, l10n.t("{0} has {1}: too large to be opened as a whole.", name, size));
    throw FileSystemError.Unavailable(
      l10n.t(
        "{0} has {1}, and files above {2} are not opened as a whole. Open a part of it, or restore it.",
        name,
        size,
        sizeText(largest, env.language),
      ),
    );
  }
  if (sizeBytes <= askAbove) return true;
  const [open, part] = [l10n.t("Open All of It"), l10n.t("Open a Part…")];
  const answer = await window.showWarningMessage(l10n.t("{0} has {1}. Read all of it?", name, size), open, part);
  if (answer === part) void commands.executeCommand("reprise.openPart", uri);
  if (answer === open) return true;
  throw FileSystemError.Unavailable(l10n.t("{0} was not opened: it has {1}.", name, size));
}

/** Settings can hold anything. */
function mebibytes(value: unknown, usual: number): number {
  return typeof value === "number" && value >= 0 && value <= MAX_FILE_BYTES / MIB ? value : usual;
}

async function offerPart(uri: Uri, message: string): Promise<void> {
  const part = l10n.t("Open a Part…");
  if ((await window.showWarningMessage(message, part)) === part) await commands.executeCommand("reprise.openPart", uri);
}
