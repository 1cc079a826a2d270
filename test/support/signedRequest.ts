// Single S3 requests, signed (AWS signature 4) and otherwise sent exactly as given: what a thief sends who does not use the SDK.

import { createHash, createHmac } from "node:crypto";
import { request } from "node:http";
import type { S3User } from "./s3Server.js";

export interface SignedRequest {
  method: string;
  /** `/bucket/key`, encoded as it shall be sent. */
  path: string;
  /** What the server takes the path for when it checks the signature. Default: the path. */
  signedPath?: string;
  query?: Record<string, string>;
  /** An array sends the header several times. */
  headers?: Record<string, string | string[]>;
  body?: string;
  /** In the URL instead of a header, as presigned URLs have it. */
  presigned?: boolean;
}

export interface RawAnswer {
  status: number;
  body: string;
}

const SERVICE = "us-east-1/s3/aws4_request";
const UNSIGNED = "UNSIGNED-PAYLOAD";

export async function sendSigned(endpoint: string, user: S3User, given: SignedRequest): Promise<RawAnswer> {
  const { host } = new URL(endpoint);
  const { method, path, signedPath = path, headers = {}, body = "" } = given;
  const at = timestamp();
  const scope = `${at.slice(0, 8)}/${SERVICE}`;
  const credential = `${user.accessKeyId}/${scope}`;
  const signed: Record<string, string> = { host };
  const query: Record<string, string> = { ...given.query };
  if (given.presigned) {
    query["X-Amz-Algorithm"] = "AWS4-HMAC-SHA256";
    query["X-Amz-Credential"] = credential;
    query["X-Amz-Date"] = at;
    query["X-Amz-Expires"] = "600";
    query["X-Amz-SignedHeaders"] = "host";
  } else {
    signed["x-amz-content-sha256"] = UNSIGNED;
    signed["x-amz-date"] = at;
    for (const [name, value] of Object.entries(headers)) {
      if (/^x-amz-/i.test(name) && typeof value === "string") signed[name.toLowerCase()] = value;
    }
  }
  const names = Object.keys(signed).sort();
  const canonicalHeaders = names.map((name) => `${name}:${signed[name]}\n`).join("");
  const canonical = [method, signedPath, queryText(query), canonicalHeaders, names.join(";"), UNSIGNED].join("\n");
  const text = ["AWS4-HMAC-SHA256", at, scope, sha256(canonical)].join("\n");
  const signature = signatureOf(user, at, text);
  if (given.presigned) query["X-Amz-Signature"] = signature;
  const Authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  const length = String(Buffer.byteLength(body));
  const all = { ...(given.presigned ? {} : { ...signed, Authorization }), ...headers, "Content-Length": length };
  return await send(`${endpoint}${path}?${queryText(query)}`, method, all, body);
}

/** The form that browsers post: the signature is over the form's own policy, and no header is signed. */
export async function postForm(
  endpoint: string,
  user: S3User,
  { bucket, key, body, headers = {} }: { bucket: string; key: string; body: string; headers?: Record<string, string> },
): Promise<RawAnswer> {
  const at = timestamp();
  const scope = `${at.slice(0, 8)}/${SERVICE}`;
  const document = {
    expiration: new Date(Date.now() + 600_000).toISOString(),
    conditions: [{ bucket }, ...FORM_FIELDS.map((name) => ["starts-with", `$${name}`, ""])],
  };
  const policy = Buffer.from(JSON.stringify(document)).toString("base64");
  const fields = {
    key,
    policy,
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": `${user.accessKeyId}/${scope}`,
    "x-amz-date": at,
    "x-amz-signature": signatureOf(user, at, policy),
  };
  const parts = Object.entries(fields).map(([name, value]) => part(`name="${name}"`, value));
  const form = `${parts.join("")}${part('name="file"; filename="x"', body)}--${BOUNDARY}--\r\n`;
  return await send(
    `${endpoint}/${bucket}`,
    "POST",
    {
      "Content-Type": `multipart/form-data; boundary=${BOUNDARY}`,
      "Content-Length": String(Buffer.byteLength(form)),
      ...headers,
    },
    form,
  );
}

const FORM_FIELDS = ["key", "x-amz-algorithm", "x-amz-credential", "x-amz-date"];
const BOUNDARY = "reprise-form";

function part(disposition: string, value: string): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`;
}

async function send(
  url: string,
  method: string,
  headers: Record<string, string | string[]>,
  body: string,
): Promise<RawAnswer> {
  return await new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false, timeout: 30_000 }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      answer.on("error", reject);
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer")));
    sent.on("error", reject);
    sent.end(body);
  });
}

function signatureOf({ secretAccessKey }: S3User, at: string, text: string): string {
  const parts = [at.slice(0, 8), ...SERVICE.split("/")];
  let key: Uint8Array | string = `AWS4${secretAccessKey}`;
  for (const word of parts) key = createHmac("sha256", key).update(word).digest();
  return createHmac("sha256", key).update(text).digest("hex");
}

function queryText(query: Record<string, string>): string {
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return Object.keys(query)
    .sort()
    .map((name) => `${encode(name)}=${encode(query[name] ?? "")}`)
    .join("&");
}

function timestamp(): string {
  return new Date().toISOString().replace(/[-:]|\.\d+/g, "");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
