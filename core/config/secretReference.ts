// Secrets are named in a configuration, never written down: env:NAME or file:PATH. What is refused is not repeated.

import type { SecretReference } from "./repriseConfig.js";

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,199}$/;
const MAX_PATH_CHARS = 4096;

/** Null: no reference. */
export function parseSecretReference(text: string): SecretReference | null {
  const [, kind, rest] = /^(env|file):(.*)$/s.exec(text) ?? [];
  if (kind === "env" && VARIABLE.test(rest!)) return { kind, name: rest! };
  if (kind === "file" && rest !== "" && rest!.length <= MAX_PATH_CHARS && !rest!.includes("\0"))
    return { kind, path: rest! };
  return null;
}

export function formatSecretReference(reference: SecretReference): string {
  return reference.kind === "env" ? `env:${reference.name}` : `file:${reference.path}`;
}

/** For fields whose form the schema has checked. */
export function secretField(text: string | undefined): SecretReference | null {
  return text === undefined ? null : parseSecretReference(text);
}
