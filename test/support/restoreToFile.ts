// Restoring a disk of a test repository into a file, as the command line does.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Manifest } from "../../core/format/manifest.js";
import { loadPresenceForReading } from "../../core/repository/presence.js";
import { createTarget } from "../../core/restore/openTarget.js";
import { type RestoreImageResult, restoreImage } from "../../core/restore/restoreImage.js";
import { archiveOf, type TestRepository } from "./testRepository.js";

export interface RestoreToFileOptions {
  skipDamaged?: boolean;
  verify?: boolean;
  lanes?: number;
}

/** What the target holds in the end, and what the core said. After an error nothing is left at `path`. */
export async function restoreToFile(
  test: TestRepository,
  manifest: Manifest,
  disk: string,
  path: string,
  options: RestoreToFileOptions = {},
): Promise<RestoreImageResult & { bytes: Uint8Array }> {
  const archive = archiveOf(manifest, disk);
  const presence = await loadPresenceForReading(test.repository, test.options);
  const resumeKey = createHash("sha256").update(`${manifest.sid} ${disk}`).digest("hex").slice(0, 32);
  const target = await createTarget({ path, format: "raw", sizeBytes: archive.sizeBytes, force: false, resumeKey });
  try {
    const { skipDamaged = false, verify = true, lanes = 0 } = options;
    const result = await restoreImage(test.repository, presence, archive, target, {
      skipDamaged,
      verify,
      lanes,
      onWarning: test.onWarning,
    });
    await target.publish();
    return { ...result, bytes: Uint8Array.from(await readFile(path)) };
  } finally {
    await target.discard({ keep: false });
  }
}
