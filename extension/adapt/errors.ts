// Errors of the service as the editor wants them: codes of its own for files, sentences with their remedy for people.

import { commands, FileSystemError, type LogOutputChannel, l10n, type Uri, window } from "vscode";
import { withoutLinks } from "../model/harmlessText.js";
import { remedyOf } from "../model/remedies.js";
import { shortenedWords } from "../model/shownName.js";
import { ServiceError } from "../service/client.js";
import { isAbort } from "./cancellation.js";

const NOT_FOUND = ["FILE_NOT_FOUND", "SNAPSHOT_NOT_FOUND", "SNAPSHOT_NAME_INVALID", "MACHINE_NOT_FOUND"];

/** `wanted`: what a FILE_KIND_WRONG means here. Damage stays visible: its message names what is damaged. */
export function toFileSystemError(error: unknown, uri: Uri, wanted: "file" | "folder" = "file"): unknown {
  if (!(error instanceof ServiceError)) return error;
  // what could not be looked into may have it
  const isCertain = !Array.isArray(error.data.unreadable) || error.data.unreadable.length === 0;
  if (error.code === "FILE_NOT_FOUND" && isCertain) return FileSystemError.FileNotFound(uri);
  if (NOT_FOUND.includes(error.code) && error.code !== "FILE_NOT_FOUND")
    return FileSystemError.FileNotFound(errorText(error));
  // a file in the middle of the path
  if (error.code === "FILE_KIND_WRONG" && wanted === "file" && error.data.wanted === "a folder")
    return FileSystemError.FileNotFound(uri);
  if (error.code === "FILE_KIND_WRONG" && wanted === "folder") return FileSystemError.FileNotADirectory(uri);
  if (error.code === "FILE_KIND_WRONG" && error.data.actual === "a folder")
    return FileSystemError.FileIsADirectory(uri);
  return FileSystemError.Unavailable(errorText(error));
}

/** The sentence, its remedy, and the code to look up. */
export function errorText(error: unknown): string {
  if (!(error instanceof ServiceError)) return shortenedWords(error instanceof Error ? error.message : String(error));
  const remedy = remedyOf(error, l10n.t);
  return shortenedWords(`${error.message}${remedy === undefined ? "" : `: ${remedy}`} [${error.code}]`);
}

/** Shows what a command failed with; a cancelled one says nothing. */
export async function showError(error: unknown, log: LogOutputChannel): Promise<void> {
  if (isAbort(error)) return;
  log.error(errorText(error));
  const [refresh, showLog] = [l10n.t("Refresh"), l10n.t("Show Log")];
  const actions = isStale(error) ? [refresh, showLog] : [showLog];
  const answer = await window.showErrorMessage(withoutLinks(errorText(error)), ...actions);
  if (answer === refresh) await commands.executeCommand("reprise.refresh");
  else if (answer === showLog) log.show();
}

/** Somebody else has forgotten what is shown here, or put another repository in its place. */
export function isStale(error: unknown): error is ServiceError {
  return error instanceof ServiceError && ["SNAPSHOT_NOT_FOUND", "REPOSITORY_ID_DIFFERS"].includes(error.code);
}
