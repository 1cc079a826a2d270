// What differs between two snapshots. The changes of the last comparisons are kept and answered in pages.

import {
  diffTrees,
  formatTreePath,
  isOurError,
  type MachineTree,
  parseTreePath,
  RepriseError,
  type TreeNode,
} from "../../core/index.js";
import { ChangeTree, type Comparison } from "./changeTree.js";
import { ALL_CHANGES, type ComparedSide, type ComparisonData, MAX_CHANGES } from "./compareProtocol.js";
import { type AnswerOf, type ArgumentOf, type EntryData, type Handle, MAX_PAGE } from "./protocol.js";
import { type CallContext, count, type Session } from "./session.js";
import { requireSnapshotId } from "./snapshotId.js";
import { resolvePlace, statEntry } from "./treeAnswers.js";

export async function compareSnapshots(
  session: Session,
  argument: ArgumentOf<"compare">,
  context: CallContext,
): Promise<ComparisonData> {
  const { path, tree, complete } = await comparisonOf(session, argument, context);
  return { ...tree.totals, path: formatTreePath(path), complete };
}

export async function listChanges(
  session: Session,
  argument: ArgumentOf<"changes">,
  context: CallContext,
): Promise<AnswerOf<"changes">> {
  const { tree } = await comparisonOf(session, argument, context);
  const text = String(argument.filter.text);
  const kinds = ALL_CHANGES.filter((kind) => argument.filter.kinds.includes(kind));
  const limit = Math.min(count(argument.limit), MAX_PAGE);
  return tree.page(parseTreePath(argument.folder), { text, kinds }, count(argument.offset), limit);
}

export async function findCounterpart(
  session: Session,
  { snapshot, path, other }: ArgumentOf<"counterpart">,
  context: CallContext,
): Promise<EntryData | null> {
  const { node } = await resolvePlace(session, { snapshot, path }, context);
  const inside = "stat" in node ? formatTreePath(node.path.slice(2)) : null;
  const repository = 0 as Handle;
  for (const candidate of [formatTreePath(node.path), inside]) {
    if (candidate === null) continue;
    try {
      return await statEntry(session, { repository, snapshot: other, path: candidate }, context);
    } catch (error) {
      if (!isOurError(error, "FILE_NOT_FOUND") && !isOurError(error, "FILE_KIND_WRONG")) throw error;
    }
  }
  return null;
}

async function comparisonOf(
  session: Session,
  argument: ArgumentOf<"compare">,
  context: CallContext,
): Promise<Comparison> {
  const { before, after } = argument;
  const key = JSON.stringify([before.snapshot, before.path, after.snapshot, after.path]);
  const known = session.comparisons.get(key);
  if (known !== undefined) return known;
  const comparison = await runComparison(session, before, after, context);
  session.comparisons.set(key, comparison, Math.max(1, comparison.tree.size));
  return comparison;
}

async function runComparison(
  session: Session,
  before: ComparedSide,
  after: ComparedSide,
  context: CallContext,
): Promise<Comparison> {
  const [old, fresh] = await Promise.all([startOf(session, before, context), startOf(session, after, context)]);
  if (old.node === null && fresh.node === null) throw old.missing;
  const path = (fresh.node ?? old.node)?.path ?? [];
  const tree = new ChangeTree();
  const start = { before: old.node, after: fresh.node, path };
  for await (const difference of diffTrees(old.tree, fresh.tree, start, { signal: context.signal })) {
    if (tree.size === MAX_CHANGES) return { path, tree, complete: false };
    tree.add(difference);
    const subject = formatTreePath(difference.path);
    context.onProgress({ operation: "diff", phase: "changes", subject, done: tree.size, unit: "objects" });
  }
  return { path, tree, complete: true };
}

/** In one of the two it may be missing. */
async function startOf(
  session: Session,
  { snapshot, path }: ComparedSide,
  context: CallContext,
): Promise<{ tree: MachineTree; node: TreeNode | null; missing?: RepriseError }> {
  const tree = await session.tree(requireSnapshotId(snapshot), context);
  try {
    const node = await tree.resolve(parseTreePath(path), { signal: context.signal, followLast: false });
    return { tree, node };
  } catch (error) {
    if (!(error instanceof RepriseError) || !isOurError(error, "FILE_NOT_FOUND")) throw error;
    return { tree, node: null, missing: error };
  }
}
