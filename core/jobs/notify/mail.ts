// Sends one plain mail by SMTP. docs/adr/0055-nodemailer.md. A password goes over an encrypted connection or not at all, and appears in
// no message.

import { createTransport } from "nodemailer";
import { RepriseError } from "../../errors.js";

export interface MailRequest {
  /** smtp://user@host:port (STARTTLS where the server has it) or smtps://. */
  server: string;
  password: string | null;
  from: string;
  to: readonly string[];
  subject: string;
  text: string;
}

export interface MailOptions {
  signal?: AbortSignal;
  /** Of each step of the conversation. Default 20 s. */
  timeoutMs?: number;
  /** Certificates (PEM) to trust instead of the usual ones. */
  ca?: string;
}

const TIMEOUT_MS = 20_000;
const DEFAULT_PORT = { "smtp:": 587, "smtps:": 465 } as const;

/** MAIL_SERVER_INVALID; NOTIFICATION_FAILED when the server cannot be reached or refuses, also when it refuses only some recipients. */
export async function sendMail(request: MailRequest, options: MailOptions = {}): Promise<void> {
  const { host, port, user, isEncrypted } = parseServer(request.server);
  const { password } = request;
  const { signal, timeoutMs = TIMEOUT_MS, ca } = options;
  signal?.throwIfAborted();
  const transport = createTransport({
    ...{ host, port, secure: isEncrypted, requireTLS: password !== null },
    ...{ connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs },
    ...{ disableFileAccess: true, disableUrlAccess: true },
    tls: { minVersion: "TLSv1.2", rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
    ...(password === null ? {} : { auth: { user, pass: password } }),
  });
  const stop = () => transport.close();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const { from, to, subject, text } = request;
    const answer = await transport.sendMail({ from, to: [...to], subject, text });
    if (answer.rejected.length > 0) throw failed(`${answer.rejected.length} of ${to.length} recipients were refused`);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof RepriseError) throw error;
    throw failed(reasonOf(error));
  } finally {
    signal?.removeEventListener("abort", stop);
    transport.close();
  }
}

function parseServer(text: string): { host: string; port: number; user: string; isEncrypted: boolean } {
  const url = URL.parse(text);
  const protocol = url?.protocol;
  if (url === null || url.hostname === "" || (protocol !== "smtp:" && protocol !== "smtps:")) throw invalidServer();
  if (url.password !== "") throw invalidServer();
  const port = url.port === "" ? DEFAULT_PORT[protocol] : Number(url.port);
  // without its brackets an address of IPv6 is a host, too
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { host, port, user: decodeURIComponent(url.username), isEncrypted: protocol === "smtps:" };
}

/** What a server says may quote what it was told: only the number of its answer and the system's code are shown. */
function reasonOf(error: unknown): string {
  const { code, responseCode, command } = error as { code?: unknown; responseCode?: unknown; command?: unknown };
  const step = typeof command === "string" && command !== "" ? ` at ${command.split(" ")[0]}` : "";
  if (typeof responseCode === "number") return `the server answered ${responseCode}${step}`;
  return `${typeof code === "string" ? code : "the connection failed"}${step}`;
}

function failed(reason: string): RepriseError {
  return new RepriseError("backend", "NOTIFICATION_FAILED", `the mail was not sent: ${reason}`, {
    retry: "later",
    hint: "check server, user and password of the notification in reprise.yml; with a password the server must offer TLS with a certificate that is trusted here",
  });
}

function invalidServer(): RepriseError {
  return new RepriseError("usage", "MAIL_SERVER_INVALID", "the mail server is not smtp://user@host:port or smtps://…", {
    hint: "write the password apart, as a secret that is named",
  });
}
