// Which branch the present changes are compared with: what a pull request would be merged into, as far as git knows it here
// (docs/gate.md, "What has changed"). A branch's own upstream says nothing about that: it has what was pushed already.

/** Branches that others start from, in the order in which they are looked for. */
const SHARED = ["main", "master", "develop", "trunk"];
/** Names that a default branch is renamed from and to. */
const RENAMED = ["main", "master"];

export interface BranchFacts {
  /** Undefined: HEAD is no branch. */
  name: string | undefined;
  upstream: { remote: string; name: string } | undefined;
  remotes: readonly string[];
  /** What git's configuration notes of the branch: by the editor, by `gh`, by the extension for pull requests. */
  noted: { prBase: string | undefined; ghBase: string | undefined; editorBase: string | undefined };
}

export interface BaseCandidates {
  /** Revisions, most likely first. */
  names: readonly string[];
  /** The remote's default branch, as the clone remembers it: it may be old. */
  remoteHead: string;
  /** What it may have been renamed to. */
  rivals: readonly string[];
  /** The branch's own upstream, when that is no base. */
  own: string | undefined;
}

export function baseCandidates({ name, upstream, remotes, noted }: BranchFacts): BaseCandidates {
  // a fork's clone calls the project so, by custom
  const remote = remotes.includes("upstream") ? "upstream" : (upstream?.remote ?? remotes[0] ?? "origin");
  const tracked = upstream && `${upstream.remote}/${upstream.name}`;
  const isShared = name !== undefined && SHARED.includes(name) && upstream?.name === name;
  const own = upstream !== undefined && !SHARED.includes(upstream.name) ? tracked : undefined;
  const inRemote = (branch: string) => `${remote}/${branch}`;
  // owner#repository#branch
  const prBase = noted.prBase?.split("#").slice(2).join("#");
  const names = [
    ...(isShared && tracked !== undefined ? [tracked] : []),
    ...[prBase, noted.ghBase].flatMap((branch) => (branch ? [inRemote(branch)] : [])),
    ...(noted.editorBase ? [noted.editorBase] : []),
    ...["HEAD", ...SHARED].map(inRemote),
    ...SHARED.filter((branch) => branch !== name),
  ];
  return {
    names: [...new Set(names)].filter((each) => each !== own && each !== name),
    remoteHead: inRemote("HEAD"),
    rivals: RENAMED.map(inRemote),
    own,
  };
}

/** What changes are compared with. */
export interface GateBase {
  /** As git and people name it. */
  name: string;
  hash: string;
  /** The clone remembers another default branch, which this one has overtaken. */
  leftOut: string | undefined;
}

/** The editor's git, as far as it is asked; what is not there rejects or is empty. */
export interface BaseSource {
  readonly state: {
    readonly HEAD:
      | { readonly name?: string; readonly upstream?: { readonly remote: string; readonly name: string } }
      | undefined;
    readonly remotes: readonly { readonly name: string }[];
  };
  getCommit(ref: string): Promise<{ hash: string }>;
  getMergeBase(a: string, b: string): Promise<string | undefined>;
  getConfig(key: string): Promise<string>;
}

/** `setting`: a revision that decides, or nothing. Undefined: git knows none. */
export async function findBase(git: BaseSource, setting: string): Promise<GateBase | undefined> {
  if (setting !== "") return isRevision(setting) ? await namedBase(git, setting) : undefined;
  const candidates = await candidatesOf(git);
  let found: GateBase | undefined;
  for (const name of candidates.names) {
    found = await namedBase(git, name);
    if (found !== undefined) break;
  }
  if (found === undefined || found.name !== candidates.remoteHead) return found;
  const rivals = await Promise.all(candidates.rivals.map((name) => namedBase(git, name)));
  return await checkedHead(
    git,
    found,
    candidates.own,
    rivals.filter((rival) => rival !== undefined),
  );
}

/** What a clone remembers of the remote's default branch is never brought up to date by a fetch. */
async function checkedHead(
  git: BaseSource,
  head: GateBase,
  own: string | undefined,
  rivals: readonly GateBase[],
): Promise<GateBase> {
  const same = rivals.find(({ hash }) => hash === head.hash);
  if (same !== undefined) return same;
  const ownHash = own === undefined ? undefined : (await namedBase(git, own))?.hash;
  for (const rival of rivals) {
    const common = await git.getMergeBase(head.hash, rival.hash).catch(() => undefined);
    if (common === head.hash || ownHash === head.hash) return { ...rival, leftOut: head.name };
  }
  return head;
}

async function candidatesOf(git: BaseSource) {
  const { HEAD, remotes } = git.state;
  const noted = async (key: string) => {
    if (HEAD?.name === undefined) return undefined;
    return (await git.getConfig(`branch.${HEAD.name}.${key}`).catch(() => "")).trim() || undefined;
  };
  return baseCandidates({
    name: HEAD?.name,
    upstream: HEAD?.upstream,
    remotes: remotes.map(({ name }) => name),
    noted: {
      prBase: await noted("github-pr-base-branch"),
      ghBase: await noted("gh-merge-base"),
      editorBase: await noted("vscode-merge-base"),
    },
  });
}

async function namedBase(git: BaseSource, name: string): Promise<GateBase | undefined> {
  if (!isRevision(name)) return undefined;
  const commit = await git.getCommit(name).catch(() => undefined);
  return commit && { name, hash: commit.hash, leftOut: undefined };
}

/** A revision that a setting may name: nothing that git could take for an option. */
export function isRevision(text: string): boolean {
  return text.length <= 250 && /^[\w][\w./@{}~^+-]*$/.test(text) && !text.includes("..");
}
