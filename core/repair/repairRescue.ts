// Writes RESCUE.md and rescue.mjs again: they are replaced by later releases, and nothing depends on them.

import { objectName } from "../format/ids.js";
import type { Repository } from "../repository/repository.js";
import { rescueFiles } from "../repository/rescueFiles.js";

export async function repairRescue(repository: Repository, options: { signal?: AbortSignal } = {}): Promise<void> {
  const { program, text } = rescueFiles();
  await repository.backend.put(objectName.rescueProgram, program, options);
  await repository.backend.put(objectName.rescueText, text, options);
}
