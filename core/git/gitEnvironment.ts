// What a git process gets of our environment: where programs and the user's own configuration are, and how to reach servers. Nothing else: no
// secrets of ours, and nothing that points git at another repository, program or output (GIT_DIR, GIT_EXEC_PATH, GIT_TRACE, PAGER …).

/** The user's own, about git's transport and configuration. */
const KEPT_OF_GIT = [
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

/** Of the system and of programs that git starts for reaching a server; tokens are for credential helpers. */
const KEPT = new Set([
  ...KEPT_OF_GIT,
  ..."PATH HOME USER LOGNAME SHELL LANG TZ TMPDIR TMP TEMP DISPLAY WAYLAND_DISPLAY".split(" "),
  ..."XDG_CONFIG_HOME XDG_CACHE_HOME XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS".split(" "),
  ..."SSH_AUTH_SOCK SSH_AGENT_PID KRB5CCNAME GNUPGHOME GPG_TTY".split(" "),
  ..."CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR".split(" "),
  ..."HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy".split(" "),
  ..."GH_TOKEN GH_HOST GH_CONFIG_DIR GITHUB_TOKEN GITLAB_TOKEN CI_JOB_TOKEN".split(" "),
  ..."SYSTEMROOT SystemRoot WINDIR COMSPEC ComSpec PATHEXT Path APPDATA LOCALAPPDATA USERPROFILE".split(" "),
  ..."HOMEDRIVE HOMEPATH ProgramData ProgramFiles".split(" "),
]);

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
export const ALLOWED_VARIABLES: readonly string[] = [...KEPT_OF_GIT, ...Object.keys(FIXED), ...CALL_VARIABLES];

export function gitEnvironment(
  ours: Readonly<Record<string, string | undefined>>,
  call: Partial<Record<CallVariable, string>> = {},
): Record<string, string> {
  const kept = Object.entries(ours).filter(([name, value]) => value !== undefined && KEPT.has(name));
  return { ...(Object.fromEntries(kept) as Record<string, string>), ...FIXED, ...call };
}
