// Reads every object that is not a pack and opens it: damage in any byte of the repository has to be found.

import { isAbort, isOurError, RepriseError } from "../errors.js";
import { equalBytes, formatError } from "../format/bytes.js";
import { decodeConfig, encodeConfig } from "../format/config.js";
import type { EnvelopeKind } from "../format/envelope.js";
import { decodeGcFinal, decodeGcPlan } from "../format/gcPlan.js";
import { baseName, folder, isPackName, isSid, objectName } from "../format/ids.js";
import { decodeKeySlot } from "../format/keySlot.js";
import { decodeForgotten, decodeManifest } from "../format/manifest.js";
import { decodePackIndex } from "../format/packIndex.js";
import { decodeQuarantine, decodeRecord } from "../format/record.js";
import { decodeSession } from "../format/session.js";
import { mapConcurrent } from "../platform/concurrency.js";
import { checkRecord } from "../repository/records.js";
import type { Repository } from "../repository/repository.js";
import { checkRescueFile } from "../repository/rescueFiles.js";
import { checkVerdict } from "../repository/verdicts.js";

export interface ObjectProblem {
  object: string;
  code: string;
  message: string;
}

const KIND_OF_FOLDER: Record<string, EnvelopeKind> = {
  [folder.keys]: "keySlot",
  [folder.sessions]: "session",
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
  for await (const { key } of repository.backend.list("", options)) if (!isPack(key)) keys.push(key);
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
    const which = key === objectName.rescueProgram ? "program" : "text";
    if (checkRescueFile(await repository.backend.get(key, { signal }), which)) return true;
    throw new RepriseError("corrupt", "OBJECT_DAMAGED", `${key}: its last line does not carry the digest of the rest`, {
      data: { object: key },
      hint: "write it again with reprise repair rescue",
    });
  }
  const kind = kindOf(key);
  if (kind === undefined) return false;
  const plain = await repository.objects.read(key, kind, { signal });
  if (kind === "config") checkConfig(repository, key, plain);
  else if (kind === "packIndex") decodePackIndex(plain, key);
  else if (DECODED_ID[kind]?.(plain, key) !== baseName(key).slice(0, 32)) {
    throw formatError(key, "the id inside is not the object's name");
  }
  checkSignature(repository, kind, key, plain);
  return true;
}

/** VERDICT_UNSIGNED for what only the keeper may write. */
function checkSignature(repository: Repository, kind: EnvelopeKind, key: string, plain: Uint8Array): void {
  if (kind === "forgotten") checkVerdict(repository, key, decodeForgotten(plain, key));
  else if (kind === "gcPlan") checkVerdict(repository, key, decodeGcPlan(plain, key));
  else if (kind === "gcFinal") checkVerdict(repository, key, decodeGcFinal(plain, key));
  else if (kind === "record") checkRecord(repository, key, decodeRecord(plain, key));
}

/** Decodes an object and answers the id in it, which must be its name. */
const DECODED_ID: Partial<Record<EnvelopeKind, (plain: Uint8Array, key: string) => string>> = {
  keySlot: (plain, key) => decodeKeySlot(plain, key).slotId,
  session: (plain, key) => decodeSession(plain, key).sid,
  snapshot: (plain, key) => decodeManifest(plain, key).sid,
  forgotten: (plain, key) => decodeForgotten(plain, key).sid,
  record: (plain, key) => decodeRecord(plain, key).rid,
  quarantine: (plain, key) => decodeQuarantine(plain, key).rid,
  gcPlan: (plain, key) => decodeGcPlan(plain, key).gid,
  gcFinal: (plain, key) => decodeGcFinal(plain, key).gid,
};

/** It was right when the repository was opened; nobody may have changed it since. */
function checkConfig(repository: Repository, key: string, plain: Uint8Array): void {
  if (equalBytes(encodeConfig(decodeConfig(plain)), encodeConfig(repository.config))) return;
  throw new RepriseError("corrupt", "CONFIG_FORGED", `${key}: is not the config that the repository was opened with`, {
    data: { object: key },
    hint: "restore the config object from a copy of the storage; do not back up into this repository",
  });
}

function kindOf(key: string): EnvelopeKind | undefined {
  if (key === objectName.config || key === objectName.configCopy) return "config";
  const prefix = key.slice(0, key.indexOf("/") + 1);
  const name = key.slice(prefix.length);
  if (prefix === folder.index) return isPackName(name) ? "packIndex" : undefined;
  if (prefix === folder.gc) {
    const suffix = /^[0-9a-f]{32}\.(plan|final)$/.exec(name)?.[1];
    return suffix === undefined ? undefined : suffix === "plan" ? "gcPlan" : "gcFinal";
  }
  return isSid(name) ? KIND_OF_FOLDER[prefix] : undefined;
}

function isPack(key: string): boolean {
  const name = baseName(key);
  return isPackName(name) && objectName.pack(name) === key;
}
