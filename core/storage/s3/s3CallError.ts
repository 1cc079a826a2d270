// A request to S3 that failed, as plain facts. Objects of the SDK and of Node carry requests, headers and sockets, and with
// them signatures and tokens: none of that gets past the client.

export interface S3CallFacts {
  /** S3's own word for it (`NoSuchBucket`), or the SDK's (`CredentialsProviderError`, `TimeoutError`). */
  name: string;
  /** HTTP status; undefined: there was no answer. */
  status: number | undefined;
  /** `ECONNRESET`, `CERT_HAS_EXPIRED`; undefined: not a matter of the connection. */
  systemCode: string | undefined;
  /** The server's sentence, shortened, without secrets. */
  message: string;
  requestId: string | undefined;
}

export class S3CallError extends Error {
  override readonly name = "S3CallError";
  readonly facts: S3CallFacts;

  constructor(facts: S3CallFacts) {
    super(facts.message === "" ? facts.name : `${facts.name}: ${facts.message}`);
    this.facts = facts;
  }
}

const MAX_MESSAGE_LENGTH = 300;
const HIDDEN = "(hidden)";

interface ThrownBySdk {
  name?: unknown;
  Code?: unknown;
  code?: unknown;
  message?: unknown;
  cause?: unknown;
  $metadata?: { httpStatusCode?: number; requestId?: string };
  $response?: { statusCode?: number };
}

/** What was thrown as facts; `secrets` are taken out of the message wherever they appear. */
export function callErrorOf(thrown: unknown, secrets: readonly string[]): S3CallError {
  if (thrown instanceof S3CallError) return thrown;
  const error = (typeof thrown === "object" && thrown !== null ? thrown : { message: String(thrown) }) as ThrownBySdk;
  const status = error.$metadata?.httpStatusCode ?? error.$response?.statusCode;
  const name = [error.name, error.Code].find((word) => typeof word === "string" && word !== "Error" && word !== "");
  return new S3CallError({
    name: typeof name === "string" ? hide(name, secrets).slice(0, 100) : "Error",
    status: typeof status === "number" && status > 0 ? status : undefined,
    systemCode: systemCodeOf(error),
    message: hide(typeof error.message === "string" ? error.message : "", secrets).slice(0, MAX_MESSAGE_LENGTH),
    requestId: error.$metadata?.requestId?.slice(0, 100),
  });
}

function systemCodeOf(error: ThrownBySdk): string | undefined {
  for (const source of [error, error.cause as ThrownBySdk | undefined]) {
    if (typeof source?.code === "string" && /^[A-Z][A-Z0-9_]+$/.test(source.code)) return source.code;
  }
  return undefined;
}

function hide(text: string, secrets: readonly string[]): string {
  let shown = text;
  for (const secret of secrets) if (secret.length >= 8) shown = shown.replaceAll(secret, HIDDEN);
  return shown;
}

/** Whether the request behind an error of ours failed with this word of the server. */
export function hasName(error: unknown, name: string): boolean {
  const { cause } = error as { cause?: unknown };
  return cause instanceof S3CallError && cause.facts.name === name;
}

/** The same for the HTTP status. */
export function hasStatus(error: unknown, status: number): boolean {
  const { cause } = error as { cause?: unknown };
  return cause instanceof S3CallError && cause.facts.status === status;
}
