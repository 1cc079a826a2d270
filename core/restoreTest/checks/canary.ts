// A value that was written into the machine when it was backed up, and into a tag of the snapshot, must come back.

import type { AttemptOptions, CheckContext, CheckFunction } from "./check.js";
import { cannotTell, fails, holds } from "./check.js";
import { findPath, headText } from "./file.js";

const MAX_CANARY_BYTES = 64 * 1024;

export const checkCanary: CheckFunction<"canary"> = async (check, context, options) => {
  const expected = `${check.path} holds the value of the snapshot's tag ${check.tag}`;
  if (context.disks === null) return cannotTell(expected, "", "the disks of the snapshot cannot be read in this test");
  const values = valuesOf(check.tag, context.snapshot.tags);
  const [value, second] = values;
  if (value === undefined) return cannotTell(expected, "", `the snapshot has no tag ${check.tag}=…`);
  if (second !== undefined) return cannotTell(expected, "", `the snapshot has ${values.length} tags ${check.tag}=…`);
  if (value === "") return cannotTell(expected, "", `the tag ${check.tag} is empty`);
  const text = await readTextOf(check.path, context, options);
  if ("missing" in text) return fails(expected, text.missing, `${check.path} is missing`);
  if ("problem" in text) return cannotTell(expected, text.problem, `${check.path} cannot be read`);
  const observed = `"${text.content}"`;
  if (text.content !== value) return fails(`${expected}: "${value}"`, observed, "another value came back");
  return holds(`${expected}: "${value}"`, observed);
};

function valuesOf(tag: string, tags: readonly string[]): string[] {
  const start = `${tag}=`;
  return tags.filter((each) => each.startsWith(start)).map((each) => each.slice(start.length).trim());
}

/** The trimmed content of a small file. */
async function readTextOf(
  path: string,
  context: CheckContext,
  options: AttemptOptions,
): Promise<{ content: string } | { missing: string } | { problem: string }> {
  const found = await findPath(path, context, options);
  if ("problem" in found) return found;
  if (found.node === null) {
    if (found.unreadable.length === 0) return { missing: "no such file" };
    return { problem: `not found, but could not look into ${found.unreadable.join(", ")}` };
  }
  const { node } = found;
  if (node.kind !== "file" || node.stat.kind !== "file") return { problem: "it is no plain file" };
  if (node.stat.sizeBytes > MAX_CANARY_BYTES) return { problem: `it has more than ${MAX_CANARY_BYTES} bytes` };
  return { content: (await headText(node, MAX_CANARY_BYTES, options)).trim() };
}
