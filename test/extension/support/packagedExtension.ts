// The extension as users get it: packed by `npm run package`, from the bundles that are there.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { inProject } from "../../support/projectRoot.js";

const run = promisify(execFile);

export interface PackedExtension {
  /** The package; it stays until the process ends. */
  vsix: string;
  /** What the packer printed; it fails when it warns. */
  output: string;
}

let packed: Promise<PackedExtension> | undefined;

/** Once for all tests of this process. */
export function packExtension(): Promise<PackedExtension> {
  packed ??= pack();
  return packed;
}

async function pack(): Promise<PackedExtension> {
  const folder = mkdtempSync(join(tmpdir(), "reprise-vsix-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const vsix = join(folder, "reprise.vsix");
  const script = inProject("scripts", "packageExtension.mjs");
  const { stdout } = await run(process.execPath, [script, "--no-build", "--out", vsix]);
  return { vsix, output: stdout };
}
