import { parseTreePath, type TreePath } from "../../core/index.js";
import type { OperandSpec } from "../lineSpec.js";
import { usageError } from "./given.js";

const FORM = "SNAPSHOT:/path, as in vm/web1@latest:/etc/hostname or 3f2a9c01:/disk/p1/etc";

export const FILE_OPERAND: OperandSpec = { name: "<snapshot:/path>", description: FORM, completes: "place" };
export const FILES_OPERAND: OperandSpec = { name: "<snapshot:/path...>", description: FORM, completes: "place" };

/** For verbs that take a whole snapshot as well. */
export function namesFile(text: string): boolean {
  return text.includes(":/");
}

export interface FilePlace {
  snapshot: string;
  path: TreePath;
  /** A slash stands at its end. */
  isFolder: boolean;
}

export interface MachinePlace {
  machine: string;
  path: TreePath;
}

/** `vm/web1:/etc`, `prod:vm/web1:/etc`. */
export function parseMachinePlace(text: string): MachinePlace {
  const { snapshot, path } = parseFilePlace(text);
  if (!/[@~]/.test(snapshot) && snapshot.includes("/")) return { machine: snapshot, path };
  throw usageError(`"${snapshot}" is no machine`, "name it without a time, as in vm/web1:/etc/hostname");
}

/** Times and namespaces have colons, too; only a path has `:/`. Without a path: the root, where the disks are. */
export function parseFilePlace(text: string): FilePlace {
  const colon = text.indexOf(":/");
  if (colon < 0) return { snapshot: text, path: [], isFolder: true };
  return { snapshot: text.slice(0, colon), path: parseTreePath(text.slice(colon + 1)), isFolder: text.endsWith("/") };
}
