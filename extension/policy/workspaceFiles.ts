// Finds our files in the workspace. The editor's search follows links, and a link may lead to all of a computer: after some seconds it is
// given up, and only what lies at the top of the workspace's folders counts.

import { CancellationTokenSource, FileType, Uri, workspace } from "vscode";
import { kindOfName, POLICY_FILES, type PolicyKind, SPEC_FILES } from "../model/policyNames.js";

const EXCLUDED = "**/{node_modules,.git}/**";
const PATIENCE_MS = 5000;
const MAX_FOUND = 1000;

export async function findOurs(kind: PolicyKind): Promise<Uri[]> {
  const pattern = kind === "policy" ? POLICY_FILES : SPEC_FILES;
  const source = new CancellationTokenSource();
  const timer = setTimeout(() => source.cancel(), PATIENCE_MS);
  try {
    const found = await workspace.findFiles(pattern, EXCLUDED, MAX_FOUND, source.token);
    return source.token.isCancellationRequested ? await atTheTop(kind) : found;
  } finally {
    clearTimeout(timer);
    source.dispose();
  }
}

async function atTheTop(kind: PolicyKind): Promise<Uri[]> {
  const folders = workspace.workspaceFolders ?? [];
  const listed = await Promise.all(
    folders.map(async ({ uri }) => {
      const entries = await workspace.fs.readDirectory(uri).then(undefined, () => []);
      return entries
        .filter(([name, type]) => (type & FileType.File) !== 0 && kindOfName(`/${name}`) === kind)
        .map(([name]) => Uri.joinPath(uri, name));
    }),
  );
  return listed.flat();
}
