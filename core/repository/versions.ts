// Names that have had more than one contents, as the storage's older versions tell. Names of the repository are used once, so each
// of them is an attack or a fault, or two that wanted to decide the same where the first version counts.

import { equalBytes } from "../format/bytes.js";
import { folder } from "../format/ids.js";
import type { Backend, ObjectVersion, OperationOptions, StorageProtection } from "../storage/backend.js";

/** The versions of each overwritten object below `prefix`, newest first. Nothing where the storage keeps none. */
export async function* overwrittenObjects(
  backend: Backend,
  prefix: string,
  options: OperationOptions,
): AsyncIterable<ObjectVersion[]> {
  if (backend.versions === undefined) return;
  for await (const versions of byKey(backend.versions(prefix, options))) {
    const contents = new Set(versions.map(({ contentsTag }) => contentsTag)).size;
    // Else it was deleted, or put twice by a repeated request.
    if (versions[0]?.isLatest && contents > 1) yield versions;
  }
}

/** Folders of decisions whose older versions are removed: a first version that went would make the second one count. */
export function expiringDecisions({ versionsExpire = [] }: StorageProtection): string[] {
  const decisions = [folder.snapshots, folder.forgotten, folder.gc, folder.keys, "config"];
  return decisions.filter((name) =>
    versionsExpire.some((prefix) => name.startsWith(prefix) || prefix.startsWith(name)),
  );
}

/** Tags of equal contents differ where the storage encrypts with keys of its own. */
export async function haveSameContents(
  backend: Backend,
  a: ObjectVersion,
  b: ObjectVersion,
  options: OperationOptions,
): Promise<boolean> {
  if (a.contentsTag === b.contentsTag) return true;
  if (a.sizeBytes !== b.sizeBytes || backend.getVersion === undefined) return false;
  const first = await backend.getVersion(a.key, a.versionId, options);
  return equalBytes(first, await backend.getVersion(b.key, b.versionId, options));
}

async function* byKey(versions: AsyncIterable<ObjectVersion>): AsyncIterable<ObjectVersion[]> {
  let current: ObjectVersion[] = [];
  for await (const version of versions) {
    if (current.length > 0 && current[0]?.key !== version.key) {
      yield current;
      current = [];
    }
    current.push(version);
  }
  if (current.length > 0) yield current;
}
