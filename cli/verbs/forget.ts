import {
  type Catalog,
  checkForgettable,
  forgetSnapshots,
  isOurError,
  resolveSnapshot,
  type Sid,
  type Snapshot,
} from "../../core/index.js";
import type { Context } from "../context.js";
import type { Given } from "../given/given.js";
import { SNAPSHOTS_OPERAND } from "../given/snapshotOperands.js";
import { idDigits, snapshotSpans } from "../output/snapshotText.js";
import { countText } from "../output/units.js";
import { snapshotReference } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";

const REASON = "named by hand";

export const forgetVerb: Verb = {
  name: "forget",
  summary: "drop snapshots by name",
  details: [
    "Protected snapshots are refused, and then none is forgotten; nor is one while a record cannot be read, which may be the one that protects it. A snapshot whose manifest cannot be read is named by its id. Space is freed by gc.",
  ],
  operands: [SNAPSHOTS_OPERAND],
  options: [{ flags: "--confirm", description: "also while a record cannot be read that may protect them" }],
  examples: [{ command: "reprise forget vm/web1~5 3f2a9c01", meaning: "two snapshots" }],
  run: runForget,
};

async function runForget(context: Context, given: Given): Promise<Answer> {
  const { repository, catalog } = await context.openCatalog({ fresh: true });
  const { snapshots, unreadable } = resolveAll(given.operands, catalog);
  checkForgettable(snapshots, catalog, { confirmed: given.flag("confirm") });
  const oldestFirst = [...snapshots].sort((a, b) => a.timeMs - b.timeMs);
  const sids = [...oldestFirst.map(({ sid }) => sid), ...unreadable];
  await forgetSnapshots(repository, sids, REASON, context.options);
  const digits = idDigits(catalog.snapshots.map(({ sid }) => sid));
  return {
    document: {
      forgotten: [...oldestFirst.map(snapshotReference), ...unreadable.map((snapshotId) => ({ snapshotId }))],
    },
    lines: [],
    summary: [
      ...oldestFirst.map((snapshot) => snapshotSpans(snapshot, digits)),
      ...unreadable,
      `forgot ${countText(sids.length, "snapshot")}; reprise gc frees the space`,
    ],
  };
}

/** Each snapshot once; ids of manifests that exist and cannot be read are among them, so that they can be given up. */
function resolveAll(names: readonly string[], catalog: Catalog): { snapshots: Snapshot[]; unreadable: Sid[] } {
  const snapshots = new Set<Snapshot>();
  const unreadable = new Set<Sid>();
  for (const name of names) {
    try {
      snapshots.add(resolveSnapshot(name, catalog));
    } catch (error) {
      const sid = isOurError(error, "SNAPSHOT_NOT_FOUND") ? unreadableSid(name, catalog) : undefined;
      if (sid === undefined) throw error;
      unreadable.add(sid);
    }
  }
  return { snapshots: [...snapshots], unreadable: [...unreadable] };
}

function unreadableSid(prefix: string, catalog: Catalog): Sid | undefined {
  if (!/^[0-9a-f]{8,32}$/.test(prefix)) return undefined;
  const fitting = catalog.unreadable.flatMap(({ sid }) => (sid?.startsWith(prefix) ? [sid] : []));
  return fitting.length === 1 ? fitting[0] : undefined;
}
