// The part of the editor's git extension that we use, as far as it is there. Its API is public and has versions: `getAPI(1)`.

import { type Event, extensions, type Uri } from "vscode";

export interface GitRepository {
  readonly rootUri: Uri;
  readonly state: GitState;
  /** Rejects for a name that is none. */
  getCommit(ref: string): Promise<{ hash: string }>;
  getMergeBase(a: string, b: string): Promise<string | undefined>;
  /** Empty, or rejects: there is none. */
  getConfig(key: string): Promise<string>;
}

export interface GitState {
  readonly HEAD: { readonly name?: string; readonly commit?: string; readonly upstream?: Upstream } | undefined;
  readonly remotes: readonly { readonly name: string }[];
  readonly workingTreeChanges: readonly GitChange[];
  readonly indexChanges: readonly GitChange[];
  readonly mergeChanges: readonly GitChange[];
  /** Empty unless they are shown apart; older editors do not have it. */
  readonly untrackedChanges?: readonly GitChange[];
  readonly onDidChange: Event<void>;
}

interface GitChange {
  readonly uri: Uri;
}

interface Upstream {
  readonly remote: string;
  readonly name: string;
}

export interface GitApi {
  readonly repositories: readonly GitRepository[];
  readonly onDidOpenRepository: Event<GitRepository>;
  readonly onDidCloseRepository: Event<GitRepository>;
}

/** Undefined when it is not there, or switched off. */
export async function openGitExtension(): Promise<GitApi | undefined> {
  const found = extensions.getExtension<{ enabled: boolean; getAPI(version: 1): GitApi }>("vscode.git");
  if (found === undefined) return undefined;
  try {
    const git = found.isActive ? found.exports : await found.activate();
    return git.enabled ? git.getAPI(1) : undefined;
  } catch {
    return undefined;
  }
}
