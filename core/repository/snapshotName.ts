// How people name a snapshot: `vm/web1@latest`, `vm/web1@2026-11-21T02:00:00Z`, `vm/web1~2`, an id or its unique prefix, each
// with the namespace in front where there is one: `prod:vm/web1@latest`.

import { RepriseError } from "../errors.js";
import { isGroup, isNamespace, qualifiedGroup } from "../format/manifest.js";
import type { Catalog, Snapshot } from "./catalog.js";

const MIN_PREFIX = 4;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const LIST_HINT = "list what there is with reprise snapshots";
const FORMS =
  "use vm/NAME@latest, vm/NAME@2026-11-21T02:00:00Z, vm/NAME~1 (the one before the latest) or at least 4 digits of an id";

/**
 * SNAPSHOT_NOT_FOUND, SNAPSHOT_AMBIGUOUS, SNAPSHOT_NAME_INVALID; and SNAPSHOT_UNCERTAIN for `@latest` and `~N` while some
 * manifest cannot be read: it may be the one that is meant, and an older day must not be taken for it.
 */
export function resolveSnapshot(name: string, catalog: Pick<Catalog, "snapshots" | "unreadable">): Snapshot {
  const { snapshots, unreadable } = catalog;
  if (/^[0-9a-f]+$/.test(name) && name.length >= MIN_PREFIX) return byIdPrefix(name, snapshots);
  const parsed = parseGroupName(name);
  const candidates = snapshots.filter(
    ({ manifest }) => manifest.group === parsed.group && manifest.namespace === parsed.namespace,
  );
  const [damaged] = unreadable;
  if (parsed.back !== undefined && damaged) throw uncertain(name, damaged.object, unreadable.length, candidates.at(-1));
  if (candidates.length === 0) throw notFound(name, knownGroups(snapshots));
  if (parsed.back !== undefined)
    return require(name, candidates.at(-1 - parsed.back), `there ${amountText(candidates.length)} of this machine`);
  const wanted = candidates.filter(({ manifest }) => manifest.time === parsed.time);
  if (wanted.length > 1) throw ambiguous(name, wanted);
  return require(name, wanted[0], `the newest is of ${candidates.at(-1)?.manifest.time ?? ""}`);
}

/** All of one machine, oldest first. GROUP_INVALID, MACHINE_NOT_FOUND when it has none. */
export function snapshotsOfMachine(name: string, { snapshots }: Pick<Catalog, "snapshots">): Snapshot[] {
  const { namespace, group } = splitNamespace(name);
  const found = snapshots.filter(({ manifest }) => manifest.group === group && manifest.namespace === namespace);
  if (found.length > 0) return found;
  throw new RepriseError("not-found", "MACHINE_NOT_FOUND", `there is no machine ${name} (${knownGroups(snapshots)})`, {
    data: { name },
    hint: LIST_HINT,
  });
}

/** `[namespace:]type/id` as used in names and `--group`. */
export function splitNamespace(text: string): { namespace: string; group: string } {
  const colon = text.indexOf(":");
  const namespace = colon < 0 ? "" : text.slice(0, colon);
  const group = text.slice(colon + 1);
  if (!isGroup(group) || !isNamespace(namespace)) {
    throw new RepriseError("usage", "GROUP_INVALID", `"${text}" is not a machine's name`, {
      hint: "a machine is vm/NAME, ct/NAME or host/NAME (letters, digits, . _ -), with NAMESPACE: in front where there is one",
    });
  }
  return { namespace, group };
}

function byIdPrefix(prefix: string, snapshots: readonly Snapshot[]): Snapshot {
  const found = snapshots.filter(({ sid }) => sid.startsWith(prefix));
  if (found.length > 1) throw ambiguous(prefix, found);
  return require(prefix, found[0], "no snapshot id starts like this");
}

function parseGroupName(name: string): { namespace: string; group: string; back?: number; time?: string } {
  const tilde = /^(.*)~(\d{1,9})$/.exec(name);
  if (tilde) return { ...splitNamespace(tilde[1] as string), back: Number(tilde[2]) };
  const at = name.indexOf("@");
  if (at < 0) throw nameInvalid(name);
  const time = name.slice(at + 1);
  if (time !== "latest" && !TIME.test(time)) throw nameInvalid(name);
  const group = splitNamespace(name.slice(0, at));
  return time === "latest" ? { ...group, back: 0 } : { ...group, time };
}

/** Says what is probably meant. */
function nameInvalid(name: string): RepriseError {
  const invalid = (message: string, hint: string) =>
    new RepriseError("usage", "SNAPSHOT_NAME_INVALID", message, { data: { name }, hint });
  const path = /^(.*(?:@latest|@[-\d]+T[\d:]+Z|~\d+)|[0-9a-f]{4,}):(.+)$/.exec(name);
  if (path) return invalid(`"${name}" does not name a snapshot`, `a path begins with a slash: ${path[1]}:/${path[2]}`);
  const at = name.indexOf("@");
  if (at >= 0) {
    const machine = name.slice(0, at);
    return invalid(
      `"${name.slice(at + 1)}" is not the time of a snapshot`,
      `write it in UTC, as snapshots --json prints it: ${machine}@2026-11-21T02:00:00Z; or ${machine}@latest`,
    );
  }
  if (!isGroup(name.slice(name.indexOf(":") + 1))) return invalid(`"${name}" does not name a snapshot`, FORMS);
  return invalid(
    `"${name}" is a machine, not one of its snapshots`,
    `say which one: ${name}@latest, ${name}~1 (the one before) or ${name}@TIME; a path goes behind it: ${name}@latest:/etc`,
  );
}

function require(name: string, snapshot: Snapshot | undefined, detail: string): Snapshot {
  if (snapshot) return snapshot;
  throw notFound(name, detail);
}

function knownGroups(snapshots: readonly Snapshot[]): string {
  const groups = [...new Set(snapshots.map(({ manifest }) => qualifiedGroup(manifest.namespace, manifest.group)))];
  if (groups.length === 0) return "the repository has no snapshots";
  return `known machines: ${groups.slice(0, 10).join(", ")}${groups.length > 10 ? ", …" : ""}`;
}

function notFound(name: string, detail: string): RepriseError {
  return new RepriseError("not-found", "SNAPSHOT_NOT_FOUND", `snapshot ${name} does not exist (${detail})`, {
    data: { name },
    hint: LIST_HINT,
  });
}

function amountText(count: number): string {
  return count === 1 ? "is 1 snapshot" : `are ${count} snapshots`;
}

function ambiguous(name: string, found: readonly Snapshot[]): RepriseError {
  const shown = found.slice(0, 5);
  const digits = distinctDigits(found.map(({ sid }) => sid));
  const ids = shown.map(({ sid }) => sid.slice(0, digits));
  const texts = shown.map(({ manifest }, i) => {
    return `${ids[i]} (${qualifiedGroup(manifest.namespace, manifest.group)}, ${manifest.time})`;
  });
  if (found.length > shown.length) texts.push("…");
  return new RepriseError(
    "usage",
    "SNAPSHOT_AMBIGUOUS",
    `"${name}" fits ${found.length} snapshots: ${texts.join(", ")}`,
    {
      data: { name, ids },
      hint: "name one of them by its id",
    },
  );
}

/** How many digits of the ids make each of them different, at least eight. */
export function distinctDigits(ids: readonly string[]): number {
  const sorted = [...ids].sort();
  let digits = 8;
  for (let i = 1; i < sorted.length; i++) {
    const [a, b] = [sorted[i - 1] as string, sorted[i] as string];
    while (digits < a.length && a.slice(0, digits) === b.slice(0, digits)) digits++;
  }
  return digits;
}

function uncertain(name: string, object: string, count: number, newest: Snapshot | undefined): RepriseError {
  const which = newest ? `; the newest one that can be read is ${newest.sid} of ${newest.manifest.time}` : "";
  return new RepriseError(
    "corrupt",
    "SNAPSHOT_UNCERTAIN",
    `${name}: ${count === 1 ? object : `${count} manifests, e.g. ${object},`} cannot be read${which}`,
    {
      data: { name, object, newestReadable: newest?.sid ?? null },
      hint: "it may be the one you mean: restore the object from a copy of the storage, or name a snapshot by its id",
    },
  );
}
