// Heals what a file tree has lost, from the same tree in a replica: both are walked side by side, since a copy has the same nodes
// with other ids. Whatever comes from there must have the id that is wanted here.

import { bytesToHex, hexToBytes } from "../format/ids.js";
import type { Archive } from "../format/manifest.js";
import { BLOB_ID_BYTES, type BlobKind } from "../format/pack.js";
import { decodeTreeNode, type TreeRef } from "../format/treeNode.js";
import type { BlobReader } from "../repository/blobReader.js";
import { readTreeNode } from "../repository/treeReader.js";
import { type TreePlace, walkTree } from "../repository/treeWalk.js";
import { entriesOf, haveEqualRefs, TreeCopier, type TreeCopierOptions } from "../sync/copyTree.js";
import { isDamage, type SourceReader } from "../sync/sourceReader.js";

export interface TreeHealerOptions {
  blobs: BlobReader;
  reader: SourceReader;
  copying: TreeCopierOptions;
  signal: AbortSignal | undefined;
  isGood(id: Uint8Array): Promise<boolean>;
  /** Throws when the bytes do not have the wanted id. */
  store(kind: BlobKind, plain: Uint8Array, wanted: Uint8Array): Promise<void>;
  /** The replica holds something else there. */
  differs(what: string): Error;
}

type Span = { offset: number; length: number };

/** Reasons of the spans that could not be healed. */
export async function healTree(
  archive: Archive,
  replica: Archive,
  spans: readonly Span[],
  options: TreeHealerOptions,
): Promise<Map<Span, string>> {
  const suspects = await findSuspects(archive, spans, options);
  const reasons = new Map<Span, string>();
  const copier = new TreeCopier(replica.name, options.copying);
  const seen = new Set<string>();
  const idOf = ({ root }: Archive) => hexToBytes(root, BLOB_ID_BYTES, "archive root");
  const waiting: { ours: TreeRef; theirs: TreeRef }[] = [
    { ours: { kind: "node", bytes: 0, id: idOf(archive) }, theirs: { kind: "node", bytes: 0, id: idOf(replica) } },
  ];
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    options.signal?.throwIfAborted();
    const { ours, theirs } = pair;
    const hex = bytesToHex(ours.id);
    if (seen.has(hex)) continue;
    seen.add(hex);
    const hurt = suspects.get(hex);
    try {
      if (hurt !== undefined && !(await options.isGood(ours.id))) {
        await fetch(replica.name, ours, theirs, copier, options);
      } else if (ours.kind === "node") waiting.push(...(await pairsIn(replica.name, ours, theirs, options)));
    } catch (error) {
      if (!isDamage(error)) throw error;
      for (const span of hurt ?? spans) reasons.set(span, error.message);
    }
  }
  return reasons;
}

/** Hex ids of blobs that stand exactly where something is lost. */
async function findSuspects(
  archive: Archive,
  spans: readonly Span[],
  { blobs, signal }: TreeHealerOptions,
): Promise<Map<string, Span[]>> {
  const suspects = new Map<string, Span[]>();
  const byPlace = Map.groupBy(spans, ({ offset, length }) => `${offset}+${length}`);
  const look = (id: Uint8Array, { offset, length }: TreePlace) => {
    const hurt = byPlace.get(`${offset}+${length}`);
    if (hurt !== undefined) suspects.set(bytesToHex(id), [...(suspects.get(bytesToHex(id)) ?? []), ...hurt]);
  };
  const seen = new Set<string>();
  await walkTree(
    archive,
    blobs,
    {
      onChunk: look,
      onNode: async (id, place, descend) => {
        look(id, place);
        // A shared node stands at several places; what is in it is the same.
        const key = `${bytesToHex(id)} ${place.offset}`;
        if (seen.has(key)) return;
        seen.add(key);
        await descend().catch((error: unknown) => {
          if (!isDamage(error)) throw error;
        });
      },
    },
    { signal },
  );
  return suspects;
}

async function fetch(
  name: string,
  ours: TreeRef,
  theirs: TreeRef,
  copier: TreeCopier,
  options: TreeHealerOptions,
): Promise<void> {
  if (ours.kind === "chunk") {
    const [bytes] = await options.reader.chunks(entriesOf([theirs]), name);
    await options.store("chunk", bytes as Uint8Array, ours.id);
  } else if (bytesToHex(await copier.copy(theirs.id)) !== bytesToHex(ours.id)) throw options.differs(name);
}

async function pairsIn(
  name: string,
  ours: TreeRef,
  theirs: TreeRef,
  options: TreeHealerOptions,
): Promise<{ ours: TreeRef; theirs: TreeRef }[]> {
  const own = await readTreeNode(options.blobs, ours.id, { signal: options.signal });
  const other = decodeTreeNode(await options.reader.treeNode(theirs.id, name), name);
  if (!haveEqualRefs(own, other)) throw options.differs(name);
  return own.refs.map((ref, i) => ({ ours: ref, theirs: other.refs[i] as TreeRef }));
}
