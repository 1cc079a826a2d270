// Errors of the service as the editor wants them: codes of its own for files, sentences with their remedy for people.

import { channel } from "node:diagnostics_channel";
import { commands, FileSystemError, type LogOutputChannel, l10n, type Uri, window } from "vscode";
import { withoutLinks } from "../model/harmlessText.js";
import { remedyOf } from "../model/remedies.js";
import { shortenedWords } from "../model/shownName.js";
import { ServiceError } from "../service/client.js";
import { isAbort } from "./cancellation.js";

const NOT_FOUND = ["FILE_NOT_FOUND", "SNAPSHOT_NOT_FOUND", "SNAPSHOT_NAME_INVALID", "MACHINE_NOT_FOUND"];

/** Who runs in the same extension host, such as tests, can hear of our bugs. */
const bugs = channel("reprise.bugs");

const CODE_AT_END = /\[\w+\]$/;

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

/**
 * One line that ends with the code to look up. What nobody expected (a bug of ours) is UNEXPECTED, and the lines after it say where in
 * the program it comes from.
 */
export function logText(error: unknown, command?: string): string {
  const text = `${command === undefined ? "" : `${command}: `}${errorText(error)}`.replaceAll(/\s*\n\s*/g, " ");
  const code = codeOf(error);
  const line = CODE_AT_END.test(text) ? text : `${text} [${code ?? "UNEXPECTED"}]`;
  if (!line.endsWith("[UNEXPECTED]")) return line;
  const bug = error instanceof Error ? `${line}\n${error.stack}` : line;
  bugs.publish(bug);
  return bug;
}

/** Undefined: nothing that we, the editor or the operating system say when something cannot be done. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof ServiceError || error instanceof FileSystemError) return error.code;
  return error instanceof Error && "syscall" in error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** Shows what a command failed with; a cancelled one says nothing. `command`: which one, for the log. */
export async function showError(error: unknown, log: LogOutputChannel, command?: string): Promise<void> {
  if (isAbort(error)) return;
  log.error(logText(error, command));
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
