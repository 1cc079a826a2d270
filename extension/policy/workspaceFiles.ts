// Finds our files in the workspace, once until one comes or goes. The editor's search follows links, and a link may lead to all of a computer: after some seconds it is
// given up, and only what lies at the top of the workspace's folders counts.

import { CancellationTokenSource, FileType, Uri, workspace } from "vscode";
import { kindOfName, POLICY_FILES, type PolicyKind, SPEC_FILES } from "../model/policyNames.js";

const EXCLUDED = "**/{node_modules,.git}/**";
const PATIENCE_MS = 5000;
const MAX_FOUND = 1000;
/** For what nobody tells of: folders behind links, and those that the editor does not watch. */
const FRESH_MS = 10 * 60_000;

export class WorkspaceFiles {
  readonly #found = new Map<PolicyKind, { atMs: number; uris: Promise<readonly Uri[]> }>();

  find(kind: PolicyKind): Promise<readonly Uri[]> {
    const known = this.#found.get(kind);
    if (known !== undefined && Date.now() - known.atMs < FRESH_MS) return known.uris;
    const found = { atMs: Date.now(), uris: search(kind) };
    this.#found.set(kind, found);
    found.uris.catch(() => {
      if (this.#found.get(kind) === found) this.#found.delete(kind);
    });
    return found.uris;
  }

  /** What came or went: one of ours, or a folder that may have some. */
  changed(path: string): void {
    if (!/\/(?:node_modules|\.git)(?:\/|$)/.test(path)) this.forget();
  }

  forget(): void {
    this.#found.clear();
  }
}

async function search(kind: PolicyKind): Promise<Uri[]> {
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
