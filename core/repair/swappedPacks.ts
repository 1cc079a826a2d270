// Packs that lie under another pack's name: the header says whose the bytes are. They are copied to the right name where
// that is free or holds nothing good; the bytes that lie there are parked first when they are the only ones of another pack.

import { isAbort, isOurError } from "../errors.js";
import { baseName, isPackName, objectName, type PackName } from "../format/ids.js";
import type { PackContents } from "../format/packIndex.js";
import { readPackContents } from "../repository/packReader.js";
import { type Condemned, listCondemned, type PresenceOptions } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";
import { checkPackBytes } from "../verify/verifyLane.js";

/** Bytes on their way to their right names; left over only when a repair was killed, and used by the next one. */
export const PARKING = "parked/";

export interface SwappedPack {
  /** Name of the object that holds the bytes. */
  object: string;
  /** Whose bytes they are. */
  holds: PackName;
  /** `copy`: to the right name; `none`: see `reason`. */
  action: "copy" | "none";
  reason: string;
}

/** `unfit`: packs that were listed and hold nothing good; `listed`: every pack. Reads what it wants to copy as a whole. */
export async function planSwapped(
  repository: Repository,
  wrong: readonly { object: string; holds: PackName }[],
  { unfit, listed }: { unfit: ReadonlySet<PackName>; listed: ReadonlySet<PackName> },
  options: PresenceOptions,
): Promise<SwappedPack[]> {
  const sources = [...(await listParked(repository, options)), ...wrong];
  if (sources.length === 0) return [];
  const condemned = await listCondemned(repository, options);
  const taken = new Set<PackName>();
  const plan: SwappedPack[] = [];
  for (const { object, holds } of sources) {
    const refusal =
      whyNoNeed(holds, listed.has(holds) && !unfit.has(holds), taken, condemned) ??
      (await whyUnsound(repository, object, holds, options));
    if (refusal === null) taken.add(holds);
    const state = listed.has(holds) ? "damaged or another pack's" : "missing";
    const reason = refusal ?? `${objectName.pack(holds)} is ${state}`;
    plan.push({ object, holds, action: refusal === null ? "copy" : "none", reason });
  }
  return plan;
}

function whyNoNeed(
  holds: PackName,
  isThere: boolean,
  taken: ReadonlySet<PackName>,
  condemned: Condemned,
): string | null {
  if (isThere) return "the right name holds a good copy";
  if (taken.has(holds)) return "another copy of the same pack is used";
  if (condemned.everything || condemned.packs.has(holds)) return "a collection has given that pack up";
  return null;
}

async function whyUnsound(
  repository: Repository,
  object: string,
  holds: PackName,
  options: PresenceOptions,
): Promise<string | null> {
  const { problems } = checkPackBytes(holds, await repository.backend.get(object, options), repository.keyring);
  return problems.length === 0 ? null : `it is damaged: ${problems[0]?.message}`;
}

/** Puts them where they belong; answers the tables of contents under the right names. A kill at any time loses nothing. */
export async function applySwapped(
  repository: Repository,
  plan: readonly SwappedPack[],
  options: PresenceOptions,
): Promise<PackContents[]> {
  const { backend } = repository;
  const copies = plan.filter(({ action }) => action === "copy");
  const targets = new Set(copies.map(({ holds }) => objectName.pack(holds)));
  for (const { object, holds } of copies) {
    if (targets.has(object)) await backend.put(PARKING + holds, await backend.get(object, options), options);
  }
  const contents: PackContents[] = [];
  for (const { object, holds } of copies) {
    const bytes = await backend.get(targets.has(object) ? PARKING + holds : object, options);
    await backend.put(objectName.pack(holds), bytes, options);
    contents.push(await readPackContents(backend, holds, bytes.length, options));
  }
  for (const { holds } of await listParked(repository, options)) {
    if (await isGood(repository, holds, options)) await backend.delete(PARKING + holds, options);
  }
  return contents;
}

async function listParked(
  repository: Repository,
  options: PresenceOptions,
): Promise<{ object: string; holds: PackName }[]> {
  const parked: { object: string; holds: PackName }[] = [];
  for await (const { key } of repository.backend.list(PARKING, options)) {
    const name = baseName(key);
    if (isPackName(name)) parked.push({ object: key, holds: name });
  }
  return parked;
}

async function isGood(repository: Repository, name: PackName, options: PresenceOptions): Promise<boolean> {
  try {
    const bytes = await repository.backend.get(objectName.pack(name), options);
    return checkPackBytes(name, bytes, repository.keyring).problems.length === 0;
  } catch (error) {
    if (isAbort(error) || !isOurError(error, "OBJECT_NOT_FOUND")) throw error;
    return false;
  }
}
