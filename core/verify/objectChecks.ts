// Reads every object that is not a pack and opens it: damage in any byte of the repository has to be found.

import { isAbort, isOurError, RepriseError } from "../errors.js";
import { decodeCanonicalJson } from "../format/canonicalJson.js";
import { ENVELOPE_KINDS, type EnvelopeKind } from "../format/envelope.js";
import { baseName, folder, isSid, objectName } from "../format/ids.js";
import { decodePackIndex } from "../format/packIndex.js";
import { mapConcurrent } from "../platform/concurrency.js";
import type { Repository } from "../repository/repository.js";
import { checkRescueFile } from "../repository/rescueFiles.js";

export interface ObjectProblem {
  object: string;
  code: string;
  message: string;
}

const KIND_OF_FOLDER: Record<string, EnvelopeKind> = {
  [folder.keys]: "keySlot",
  [folder.sessions]: "session",
  [folder.index]: "packIndex",
  [folder.snapshots]: "snapshot",
  [folder.forgotten]: "forgotten",
  [folder.records]: "record",
  [folder.quarantine]: "quarantine",
};

/** Opens every object outside packs/. Objects that vanish meanwhile are no damage. */
export async function checkObjects(
  repository: Repository,
  options: { signal?: AbortSignal; onChecked: () => void },
): Promise<{ checked: number; problems: ObjectProblem[]; foreign: string[] }> {
  const problems: ObjectProblem[] = [];
  const foreign: string[] = [];
  const keys: string[] = [];
  for await (const { key } of repository.backend.list("", options)) if (!key.startsWith(folder.packs)) keys.push(key);
  await mapConcurrent(keys, async (key) => {
    try {
      if (!(await checkObject(repository, key, options.signal))) foreign.push(key);
    } catch (error) {
      if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
      if (error.code !== "OBJECT_NOT_FOUND") problems.push({ object: key, code: error.code, message: error.message });
    }
    options.onChecked();
  });
  problems.sort((a, b) => (a.object < b.object ? -1 : 1));
  return { checked: keys.length, problems, foreign };
}

/** False when the object is none of the repository's. */
async function checkObject(repository: Repository, key: string, signal: AbortSignal | undefined): Promise<boolean> {
  if (key === objectName.rescueProgram || key === objectName.rescueText) {
    if (checkRescueFile(await repository.backend.get(key, { signal }))) return true;
    throw new RepriseError("corrupt", "OBJECT_DAMAGED", `${key}: its last line does not carry the digest of the rest`, {
      data: { object: key },
      hint: "write it again with reprise repair rescue",
    });
  }
  const kind = kindOf(key);
  if (kind === undefined) return false;
  const plain = await repository.objects.read(key, kind, { signal });
  if (kind === "packIndex") decodePackIndex(plain, key);
  else decodeCanonicalJson(plain, key);
  return true;
}

function kindOf(key: string): EnvelopeKind | undefined {
  if (key === objectName.config) return "config";
  if (key.startsWith(folder.gc)) {
    if (key.endsWith(".plan")) return "gcPlan";
    return key.endsWith(".final") ? "gcFinal" : undefined;
  }
  const kind = KIND_OF_FOLDER[key.slice(0, key.indexOf("/") + 1)];
  if (kind === undefined || !(kind in ENVELOPE_KINDS)) return undefined;
  return kind === "packIndex" || isSid(baseName(key)) ? kind : undefined;
}
