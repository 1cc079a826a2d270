// One GET to a forwarded port of the guest. Follows nothing, trusts no certificate and needs none: what is read of it is
// data. At most 1 MiB of the body is read.

import { type IncomingMessage, request as plainRequest, type RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import { isIP } from "node:net";
import type { TLSSocket } from "node:tls";

export interface HttpQuestion {
  /** On 127.0.0.1. */
  hostPort: number;
  path: string;
  tls: boolean;
  /** Host header and, when it is no address, server name. */
  host: string;
}

export interface HttpAnswer {
  status: number;
  statusText: string;
  body: string;
  /** There is more of the body. */
  isCut: boolean;
  /** Content encoding other than identity, or null. */
  encoding: string | null;
  /** When the server's certificate expires; null without TLS, or when it does not say. */
  validToMs: number | null;
}

const MAX_BODY_BYTES = 1024 * 1024;

/** Rejects when there is no answer, half of one, or the signal's reason. */
export async function requestOnce(question: HttpQuestion, { signal }: { signal: AbortSignal }): Promise<HttpAnswer> {
  const { hostPort, path, tls, host } = question;
  const options: RequestOptions = {
    host: "127.0.0.1",
    port: hostPort,
    path,
    method: "GET",
    agent: false,
    signal,
    headers: { host, "user-agent": "reprise", accept: "*/*", "accept-encoding": "identity", connection: "close" },
  };
  const servername = isIP(host) === 0 ? host.replace(/:\d+$/, "") : "";
  return await new Promise((resolve, reject) => {
    const request = tls
      ? tlsRequest({ ...options, servername, rejectUnauthorized: false, checkServerIdentity: () => undefined })
      : plainRequest(options);
    request.on("error", reject);
    request.on("close", () => reject(new Error("the connection was closed without an answer")));
    request.on("response", (response) => {
      const validToMs = tls ? expiryOf(response.socket as TLSSocket) : null;
      readBody(response).then((body) => resolve({ ...headOf(response), ...body, validToMs }), reject);
    });
    request.end();
  });
}

function headOf(response: IncomingMessage): Pick<HttpAnswer, "status" | "statusText" | "encoding"> {
  const encoding = response.headers["content-encoding"] ?? "identity";
  return {
    status: response.statusCode ?? 0,
    statusText: response.statusMessage ?? "",
    encoding: encoding === "identity" ? null : encoding,
  };
}

async function readBody(response: IncomingMessage): Promise<Pick<HttpAnswer, "body" | "isCut">> {
  const parts: Uint8Array[] = [];
  let length = 0;
  let isCut = false;
  for await (const piece of response as AsyncIterable<Uint8Array>) {
    const part = piece.subarray(0, MAX_BODY_BYTES - length);
    parts.push(part);
    length += part.length;
    isCut = part.length < piece.length;
    if (isCut) break;
  }
  return { body: Buffer.concat(parts).toString("utf8"), isCut };
}

function expiryOf(socket: TLSSocket): number | null {
  const text: unknown = socket.getPeerCertificate?.().valid_to;
  const ms = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}
