// The part of the editor's git extension that we use, as far as it is there. Its API is public and has versions: `getAPI(1)`.

import { type Event, extensions, type Uri } from "vscode";

export interface GitRepository {
  readonly rootUri: Uri;
  readonly state: GitState;
  /** Rejects for a name that is none. */
  getCommit(ref: string): Promise<{ hash: string }>;
}

interface GitState {
  readonly HEAD: { readonly name?: string; readonly commit?: string; readonly upstream?: Upstream } | undefined;
  readonly remotes: readonly { readonly name: string }[];
  readonly workingTreeChanges: readonly unknown[];
  readonly indexChanges: readonly unknown[];
  readonly onDidChange: Event<void>;
}

interface Upstream {
  readonly remote: string;
  readonly name: string;
}

export interface GitApi {
  readonly repositories: readonly GitRepository[];
  readonly onDidOpenRepository: Event<GitRepository>;
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

/** Revisions that a change may be compared with, most likely first. */
export function likelyBases({ state }: GitRepository): string[] {
  const remote = state.HEAD?.upstream?.remote ?? state.remotes[0]?.name ?? "origin";
  const { upstream, name } = state.HEAD ?? {};
  const ofRemote = ["HEAD", "main", "master"].map((branch) => `${remote}/${branch}`);
  const own = upstream === undefined ? [] : [`${upstream.remote}/${upstream.name}`];
  return [...ofRemote, ...own, ...["main", "master"].filter((branch) => branch !== name)];
}
