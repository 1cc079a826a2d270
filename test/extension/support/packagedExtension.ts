// The extension as users get it: packed by `npm run package`, from the bundles that are there.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { inProject } from "../../support/projectRoot.js";

const run = promisify(execFile);

/** Makes reprise.vsix in the folder; fails when the packer warns. Answers its path and what was printed. */
export async function packExtension(folder: string): Promise<{ vsix: string; output: string }> {
  const vsix = join(folder, "reprise.vsix");
  const script = inProject("scripts", "packageExtension.mjs");
  const { stdout } = await run(process.execPath, [script, "--no-build", "--out", vsix]);
  return { vsix, output: stdout };
}
