// What a git process gets of our environment: how to reach servers and where the user's own configuration is, and nothing that
// points git at another repository, another program or another output (GIT_DIR, GIT_EXEC_PATH, GIT_TRACE, PAGER …).

/** The user's own, about transport and configuration. */
const KEPT = [
  "GIT_ASKPASS",
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_NOSYSTEM",
  "GIT_CONFIG_SYSTEM",
  "GIT_HTTP_USER_AGENT",
  "GIT_PROXY_SSL_CAINFO",
  "GIT_SSH",
  "GIT_SSH_COMMAND",
  "GIT_SSH_VARIANT",
  "GIT_SSL_CAINFO",
  "GIT_SSL_CAPATH",
  "GIT_SSL_NO_VERIFY",
  "SSH_ASKPASS",
] as const;

/** Ours, in every call. */
const FIXED = {
  /** Messages in English, so that they can be recognised. */
  LC_ALL: "C",
  LANGUAGE: "C",
  GIT_TERMINAL_PROMPT: "0",
  GIT_OPTIONAL_LOCKS: "0",
  /** refs/replace/ would show other commits than those that were signed, reviewed or pushed. */
  GIT_NO_REPLACE_OBJECTS: "1",
  /** No `ext::`, no `fd::`: these run programs. */
  GIT_ALLOW_PROTOCOL: "file:git:http:https:ssh",
} as const;

/** Ours, in single calls. */
export type CallVariable =
  | "GIT_INDEX_FILE"
  | "GIT_AUTHOR_NAME"
  | "GIT_AUTHOR_EMAIL"
  | "GIT_AUTHOR_DATE"
  | "GIT_COMMITTER_NAME"
  | "GIT_COMMITTER_EMAIL"
  | "GIT_COMMITTER_DATE";

const CALL_VARIABLES: readonly CallVariable[] = [
  "GIT_INDEX_FILE",
  "GIT_AUTHOR_NAME",
  "GIT_AUTHOR_EMAIL",
  "GIT_AUTHOR_DATE",
  "GIT_COMMITTER_NAME",
  "GIT_COMMITTER_EMAIL",
  "GIT_COMMITTER_DATE",
];

/** Everything that a git process of ours may be told; the runner of processes refuses others. */
export const ALLOWED_VARIABLES: readonly string[] = [...KEPT, ...Object.keys(FIXED), ...CALL_VARIABLES];

const GUARDED = /^(?:git_.*|editor|visual|pager|prefix|ssh_askpass)$/i;

export function gitEnvironment(
  ours: Readonly<Record<string, string | undefined>>,
  call: Partial<Record<CallVariable, string>> = {},
): Record<string, string> {
  const kept = Object.entries(ours).filter(
    ([name, value]) => value !== undefined && (!GUARDED.test(name) || (KEPT as readonly string[]).includes(name)),
  ) as [string, string][];
  return { ...Object.fromEntries(kept), ...FIXED, ...call };
}
