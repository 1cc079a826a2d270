// The setting that names QEMU's folder. A workspace cannot set it: it says which program is started.

import { workspace } from "vscode";

export function toolFolder(): string | null {
  const path = workspace.getConfiguration("reprise").inspect<unknown>("qemuPath")?.globalValue;
  return typeof path === "string" && path !== "" ? path : null;
}
