// What happened, as the runner tells it: which commits a change lies between, and what its pull request says. From the event file,
// which others have a hand in: bounded, and every member may be missing or something else.

import { open } from "node:fs/promises";

export interface PipelineEvent {
  /** pull_request, push, merge_group, schedule ... */
  name: string;
  /** Null: there is none, as for a schedule or a new branch. */
  base: string | null;
  /** The push says that there was nothing before it. */
  isNewBranch: boolean;
  head: string | null;
  /** Of a tag; null: none. */
  tag: string | null;
  /** Of the repository; null: not told. */
  defaultBranch: string | null;
  pullRequest: { number: number; labels: readonly string[]; description: string } | null;
  /** Who made it happen. */
  actor: string;
  /** Where this run can be looked at; null: not known. */
  url: string | null;
}

type Env = Readonly<Record<string, string | undefined>>;

const MAX_EVENT_BYTES = 32 * 1024 * 1024;
const MAX_LABELS = 200;
const MAX_DESCRIPTION_CHARS = 256 * 1024;
const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

export async function readEvent(env: Env): Promise<PipelineEvent> {
  const payload = await readPayload(env.GITHUB_EVENT_PATH);
  const name = env.GITHUB_EVENT_NAME ?? "";
  const pullRequest = memberOf(payload, "pull_request");
  const group = memberOf(payload, "merge_group");
  return {
    name,
    ...commitsOf(env, payload, pullRequest, group),
    isNewBranch: isNewBranch(name, payload),
    tag: env.GITHUB_REF_TYPE === "tag" ? (env.GITHUB_REF_NAME ?? null) : null,
    defaultBranch: branch(textOf(memberOf(payload, "repository"), "default_branch")),
    pullRequest: pullRequest === null ? null : partOf(pullRequest),
    actor: textOf(memberOf(payload, "sender"), "login") ?? env.GITHUB_ACTOR ?? "",
    url: runUrl(env),
  };
}

function commitsOf(
  env: Env,
  payload: object | null,
  pullRequest: object | null,
  group: object | null,
): { base: string | null; head: string | null } {
  if (pullRequest !== null) {
    return {
      base: commit(textOf(memberOf(pullRequest, "base"), "sha")),
      head: commit(textOf(memberOf(pullRequest, "head"), "sha")),
    };
  }
  if (group !== null) return { base: commit(textOf(group, "base_sha")), head: commit(textOf(group, "head_sha")) };
  // zeros after a push: the branch is gone, and GITHUB_SHA is another one's
  const head = commit(textOf(payload, "after") ?? env.GITHUB_SHA ?? null);
  return { base: commit(textOf(payload, "before")), head };
}

/** The default branch is none that could be compared with itself. */
function isNewBranch(name: string, payload: object | null): boolean {
  const defaultBranch = textOf(memberOf(payload, "repository"), "default_branch");
  const isDefault = defaultBranch !== null && textOf(payload, "ref") === `refs/heads/${defaultBranch}`;
  return name === "push" && /^0+$/.test(textOf(payload, "before") ?? "") && !isDefault;
}

function partOf(pullRequest: object): NonNullable<PipelineEvent["pullRequest"]> {
  const { number, labels, body } = pullRequest as Record<string, unknown>;
  const names = Array.isArray(labels) ? labels.slice(0, MAX_LABELS).map((label) => textOf(label, "name")) : [];
  return {
    number: typeof number === "number" ? number : 0,
    labels: names.filter((label) => label !== null),
    description: typeof body === "string" ? body.slice(0, MAX_DESCRIPTION_CHARS) : "",
  };
}

async function readPayload(path: string | undefined): Promise<object | null> {
  if (path === undefined || path === "") return null;
  const file = await open(path, "r").catch(() => null);
  if (file === null) return null;
  try {
    const { size } = await file.stat();
    if (size > MAX_EVENT_BYTES) return null;
    const value: unknown = JSON.parse(await file.readFile("utf8"));
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null;
  } finally {
    await file.close();
  }
}

function runUrl(env: Env): string | null {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = env;
  if (!server || !repository || !run) return null;
  const url = `${server}/${repository}/actions/runs/${run}`;
  return /^https?:\/\/[\w.:-]+\/[\w./-]+$/.test(url) ? url : null;
}

/** Zeros mean that there is none. */
function commit(text: string | null): string | null {
  return text !== null && COMMIT.test(text) && !/^0+$/.test(text) ? text : null;
}

/** Nothing that git could take for something else. */
function branch(text: string | null): string | null {
  return text !== null && text.length <= 250 && /^[\w][\w./-]*$/.test(text) ? text : null;
}

function memberOf(value: object | null, name: string): object | null {
  const member: unknown =
    value === null || !Object.hasOwn(value, name) ? null : (value as Record<string, unknown>)[name];
  return typeof member === "object" ? member : null;
}

function textOf(value: unknown, name: string): string | null {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return null;
  const member = (value as Record<string, unknown>)[name];
  return typeof member === "string" ? member : null;
}
