// One HTTP request to a server and its answer, both whole and byte for byte as they were sent: a signature stays valid.

import { Agent, type IncomingMessage, request as sendRequest } from "node:http";
import type { DeliveredRequest, HttpAnswer } from "./fault.js";

export class Upstream {
  readonly #host: string;
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(endpoint: string) {
    const { hostname, port } = new URL(endpoint);
    this.#host = hostname;
    this.#port = Number(port);
  }

  /** The headers go as they are, Host too: it is part of what a client signs. */
  deliver({ method, url, headers, body }: DeliveredRequest): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const options = { host: this.#host, port: this.#port, agent: this.#agent, method, path: url, headers };
      const request = sendRequest(options, (response) => {
        readWhole(response).then((answered) => {
          resolve({ status: response.statusCode ?? 0, headers: response.rawHeaders, body: answered });
        }, reject);
      });
      request.on("error", reject);
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

export async function readWhole(message: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of message) parts.push(part as Uint8Array);
  return Buffer.concat(parts);
}

/** An error as S3 servers write it. */
export function s3Error(status: number, code: string): HttpAnswer {
  const text = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  return xmlAnswer(status, text);
}

/** A page of a listing on which nothing is. */
export function emptyListing(): HttpAnswer {
  return xmlAnswer(
    200,
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      "<KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>",
  );
}

function xmlAnswer(status: number, text: string): HttpAnswer {
  const body = new TextEncoder().encode(text);
  return { status, headers: ["Content-Type", "application/xml", "Content-Length", String(body.length)], body };
}
