// Places in backups as URIs: `reprise://<repository id>/<machine>/<snapshot id>/<tree path>`, as in
// `reprise://0123…/prod:vm/web1/4567…/sda/p2/etc/hostname`. The one file that makes and reads them; anybody can write one, so
// everything is checked. Tree paths are text as in docs/files.md: bytes that are no UTF-8 are escaped and survive.

export const SCHEME = "reprise";

/** A place in one snapshot; `path` begins with a slash, and is `/` for the list of its disks. */
export interface SnapshotPlace {
  repositoryId: string;
  machine: string;
  snapshot: string;
  path: string;
  /** A part of a file, seen as a file of its own. */
  part?: FilePart;
}

export interface FilePart {
  offset: number;
  length: number;
}

/** What an editor's URI is made of; all decoded. */
export interface UriParts {
  scheme: string;
  authority: string;
  path: string;
  query: string;
}

const ID = /^[0-9a-f]{32}$/;
const SAFE = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
const GROUP = `(?:vm|ct|host)/${SAFE}`;
const NAMESPACE = `${SAFE}(?:/${SAFE}){0,7}`;
const PLACES = [
  new RegExp(`^/(${GROUP})/([0-9a-f]{32})(/.*)?$`, "su"),
  new RegExp(`^/(${NAMESPACE}:${GROUP})/([0-9a-f]{32})(/.*)?$`, "su"),
];
const PART = /^part=(\d{1,16})-(\d{1,16})$/;
/** Longer than any path that can be opened: 4096 names. */
const MAX_PATH = 1 << 20;

export function toUriParts({ repositoryId, machine, snapshot, path, part }: SnapshotPlace): UriParts {
  const query = part === undefined ? "" : `part=${part.offset}-${part.offset + part.length}`;
  return { scheme: SCHEME, authority: repositoryId, path: `/${machine}/${snapshot}${path === "/" ? "" : path}`, query };
}

/** Undefined: not a place in a snapshot. */
export function fromUriParts({ scheme, authority, path, query }: UriParts): SnapshotPlace | undefined {
  if (scheme !== SCHEME || !ID.test(authority) || path.length > MAX_PATH) return undefined;
  const match = PLACES.map((pattern) => pattern.exec(path)).find((found) => found !== null);
  const [, machine, snapshot, rest = "/"] = match ?? [];
  const part = partOf(query);
  if (machine === undefined || snapshot === undefined || part === null) return undefined;
  const place: SnapshotPlace = { repositoryId: authority, machine, snapshot, path: withoutTrailingSlash(rest) };
  return part === undefined ? place : { ...place, part };
}

/** Null: it says something that we do not understand. */
function partOf(query: string): FilePart | undefined | null {
  if (query === "") return undefined;
  const [, from, to] = PART.exec(query) ?? [];
  const [offset, end] = [Number(from), Number(to)];
  return Number.isSafeInteger(offset) && Number.isSafeInteger(end) && end > offset
    ? { offset, length: end - offset }
    : null;
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, "") || "/" : path;
}
