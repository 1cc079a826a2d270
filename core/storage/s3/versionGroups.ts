// A listing of versions from its pages, one entry for each key: what is needed to tell which version was the first.

import type { ObjectVersion } from "../backend.js";
import type { S3Deletion, S3VersionMarker, S3VersionPage } from "./versionRequests.js";

/** Memory does not grow with the number of versions. Keys are the bucket's own. */
export interface VersionGroup {
  key: string;
  newest: ObjectVersion | undefined;
  oldest: ObjectVersion | undefined;
  versions: number;
  /** The newest delete marker. */
  deletion: S3Deletion | undefined;
}

/** In the order of the pages; a key whose versions lie on two pages comes once. */
export async function* versionGroups(
  readPage: (marker: S3VersionMarker | undefined) => Promise<S3VersionPage>,
): AsyncIterable<VersionGroup> {
  let open: VersionGroup | undefined;
  let marker: S3VersionMarker | undefined;
  do {
    const page: S3VersionPage = await readPage(marker);
    const groups = groupsOf(page, open);
    open = page.next === undefined ? undefined : groups.pop();
    yield* groups;
    marker = page.next;
  } while (marker !== undefined);
  if (open !== undefined) yield open;
}

/** `open`: the last group of the page before, which may go on here. */
function groupsOf({ versions, deletions }: S3VersionPage, open: VersionGroup | undefined): VersionGroup[] {
  const groups = new Map<string, VersionGroup>();
  if (open !== undefined) groups.set(open.key, open);
  const of = (key: string) => {
    let group = groups.get(key);
    if (group === undefined) {
      group = { key, newest: undefined, oldest: undefined, versions: 0, deletion: undefined };
      groups.set(key, group);
    }
    return group;
  };
  for (const version of versions) {
    const group = of(version.key);
    group.newest ??= version;
    group.oldest = version;
    group.versions++;
  }
  for (const deletion of deletions) of(deletion.key).deletion ??= deletion;
  return [...groups.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}
