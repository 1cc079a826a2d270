// Where the command line is: the program that the setting of this computer names, or the one that comes with the extension.

import { access, constants } from "node:fs/promises";
import { l10n, type Uri, workspace } from "vscode";

export interface CliProgram {
  program: string;
  /** Before those of the command. */
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** Throws, with what to do, when the setting names no program. */
export async function cliProgram(bundled: Uri): Promise<CliProgram> {
  // only the setting of this computer: a folder must not name programs
  const path = workspace.getConfiguration("reprise").inspect<string>("cliPath")?.globalValue?.trim() ?? "";
  if (path === "") {
    // the editor's own Node, wherever the extension runs
    return { program: process.execPath, args: [bundled.fsPath], env: { ELECTRON_RUN_AS_NODE: "1" } };
  }
  const isProgram = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (isProgram) return { program: path, args: [], env: {} };
  throw new Error(
    l10n.t(
      "The setting reprise.cliPath names {0}, and there is no program there. Empty, it means the one that comes with the extension.",
      path,
    ),
  );
}
